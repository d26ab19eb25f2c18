/* SPDX-License-Identifier: GPL-2.0-only */
/* Of it, the tools take numbers of the library's kernel. */
