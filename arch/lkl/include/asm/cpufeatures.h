/* SPDX-License-Identifier: GPL-2.0-only */
/* Included by x86 headers for features that are not looked at here. */
