/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the table of verbs refers to: struct verb says what each gets.
 */
#ifndef LKL_RUN_H
#define LKL_RUN_H

#include "verb.h"

int cat_run(struct session *s, const struct args *a);
int chmod_run(struct session *s, const struct args *a);
int chown_run(struct session *s, const struct args *a);
int cp_run(struct session *s, const struct args *a);
int df_run(struct session *s, const struct args *a);
int du_run(struct session *s, const struct args *a);
int find_run(struct session *s, const struct args *a);
int inspect_run(struct session *s, const struct args *a);
int ln_run(struct session *s, const struct args *a);
int log_run(struct session *s, const struct args *a);
int ls_run(struct session *s, const struct args *a);
int mkdir_run(struct session *s, const struct args *a);
int mv_run(struct session *s, const struct args *a);
int rm_run(struct session *s, const struct args *a);
int stat_run(struct session *s, const struct args *a);
int sum_run(struct session *s, const struct args *a);
int touch_run(struct session *s, const struct args *a);
int trim_run(struct session *s, const struct args *a);
int truncate_run(struct session *s, const struct args *a);
int write_run(struct session *s, const struct args *a);

int cp_main(const struct verb *v, int argc, char **argv);
int edit_main(const struct verb *v, int argc, char **argv);
int diff_main(const struct verb *v, int argc, char **argv);
int info_main(const struct verb *v, int argc, char **argv);
int serve_main(const struct verb *v, int argc, char **argv);
int sh_main(const struct verb *v, int argc, char **argv);

/**
 * execute() - run another of the tools in place of this one
 * @program: its name
 * @argv: its arguments
 *
 * Return: TOOL_FAILED when it could not be
 */
int execute(const char *program, char **argv);

/**
 * colon_length() - length of what an image's name begins with that has a colon:
 * the scheme of a URI, or a drive
 * @name: of an image, or another path of the host
 *
 * Return: bytes, with the colon, or 0
 */
size_t colon_length(const char *name);

/**
 * image_length() - take an argument IMAGE:/PATH or IMAGE: apart
 * @arg: the argument
 *
 * Return: length of IMAGE, or 0 if it names no image
 */
size_t image_length(const char *arg);

#endif /* LKL_RUN_H */
