/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of Windows, for the tools.
 */
#ifndef NT_FILE_H
#define NT_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <wchar.h>
#include <windows.h>

/* A negative error number for an error of Windows. */
int nt_error(DWORD error);

/**
 * nt_wide() - UTF-16 from UTF-8
 * @text: the text
 *
 * Return: the text, to be freed, or NULL when it is not UTF-8
 */
wchar_t *nt_wide(const char *text);

/**
 * nt_narrow() - UTF-8 from UTF-16
 * @text: the text
 * @len: its units
 * @buf: where to, ended by 0
 * @size: its size
 *
 * Return: bytes without the end, or -1 when it is not UTF-16, or too long
 */
int nt_narrow(const wchar_t *text, size_t len, char *buf, size_t size);

/**
 * nt_path() - a path of the user's, as Windows takes it at any length
 * @path: the path, with slashes or backslashes
 *
 * Return: the path, to be freed, or NULL when it is none
 */
wchar_t *nt_path(const char *path);

/* What is known of an open file; 0 or a negative error number. */
int nt_stat_handle(HANDLE file, struct stat *st);

#endif /* NT_FILE_H */
