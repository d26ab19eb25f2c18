# SPDX-License-Identifier: GPL-2.0-only
#
# What the makefiles of the tools for Windows and of the libraries that they take have both.

CROSS	?= x86_64-w64-mingw32-
CC	:= $(if $(shell command -v ccache),ccache )$(CROSS)gcc-posix
# Source packages of Debian, where they are unpacked, and the library made of them.
SOURCE	:= $(BUILD:%/$(FLAVOUR)=%)/source
ARCHIVE	:= $(BUILD)/obj/source/libarchive.a
# How the tools are compiled.
NT_CFLAGS := -Itools/nt/posix -D_GNU_SOURCE -D__USE_MINGW_ANSI_STDIO=1 \
	-D_FILE_OFFSET_BITS=64 -D_WIN32_WINNT=0x0A00
SOURCES	:= libarchive bzip2 libzstd lz4 xz-utils
