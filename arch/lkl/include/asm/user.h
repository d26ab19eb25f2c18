/* SPDX-License-Identifier: GPL-2.0-only */
/* For core dumps of programs, which there are none of. */
