// SPDX-License-Identifier: GPL-2.0-only
/* The assembler files need no offsets; the build wants the file. */
