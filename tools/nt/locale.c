// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locale that a tool sets to tell libarchive that names are UTF-8.  The C
 * library's locales have code pages instead.
 */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#undef mbstowcs

static bool utf8;

char *nt_setlocale(int category, const char *locale)
{
	(void)category;
	if (locale)
		utf8 = !strcmp(locale, "C.UTF-8");
	return utf8 ? "C.UTF-8" : "C";
}

char *nl_langinfo(int item)
{
	return item != CODESET ? "" : utf8 ? "UTF-8" : "ANSI_X3.4-1968";
}

size_t nt_mbstowcs(wchar_t *to, const char *text, size_t size)
{
	int n;

	if (!utf8)
		return mbstowcs(to, text, size);
	n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, to,
				to ? (int)size : 0);
	return n > 0 ? (size_t)n - 1 : (size_t)-1;
}

char *strsignal(int sig)
{
	return sig == SIGINT ? "Interrupt" : "Terminated";
}
