// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic control: queueing disciplines and their classes, in the words of
 * tc(8).
 *
 * An entry like "root handle 1:|htb default 10" says where, and what with which
 * options.  Kinds whose options are known have a table of them here, with a
 * letter for each value an option takes; any other kind can be used with the
 * kernel's defaults.  Values are collected by the number of the attribute that
 * carries them, or, for kinds whose messages are not so simple, by a number of
 * our own and put into a message by a function.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lkl.h>
#include <lkl/linux/pkt_sched.h>

#include "rtnl.h"

#define NSEC_PER_SEC 1000000000ULL
/* Packets wait in units of this many nanoseconds in htb's messages. */
#define TICK_NSEC 64
/* What may be sent at once on top of 10 ms worth of it: a packet. */
#define MIN_BURST 1600
#define TBF_LATENCY (NSEC_PER_SEC / 20)
#define NETEM_LIMIT 1000

/**
 * struct option - a word that a kind understands
 * @name: the word
 * @types: a letter per value: (n)umber, (h)exadecimal number, (s)ize in bytes,
 *	(t)ime in nanoseconds, (u)sual time attribute, in microseconds, (r)ate
 *	in bytes per second, (p)robability in units of 2^-32.  The first value is
 *	required.  Without value: 0 or 1, what the word stands for
 * @slot: where to store the first value
 */
struct option {
	const char *name;
	const char *types;
	int slot;
};

#define SLOTS 32
#define MAX_WORDS 64

struct values {
	uint64_t v[SLOTS];
	uint32_t set;
};

static uint32_t clamp32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : value;
}

static int has(const struct values *val, int slot)
{
	return val->set >> slot & 1;
}

/* An attribute for each value. */
static int put_u32(struct lkl_nlmsghdr *nlh, struct values *val)
{
	for (int i = 0; i < SLOTS; i++)
		if (has(val, i))
			rtnl_put_u32(nlh, i, clamp32(val->v[i]));
	return 0;
}

static const struct option fq_options[] = {
	{ "limit", "n", LKL_TCA_FQ_PLIMIT },
	{ "flow_limit", "n", LKL_TCA_FQ_FLOW_PLIMIT },
	{ "quantum", "s", LKL_TCA_FQ_QUANTUM },
	{ "initial_quantum", "s", LKL_TCA_FQ_INITIAL_QUANTUM },
	{ "maxrate", "r", LKL_TCA_FQ_FLOW_MAX_RATE },
	{ "low_rate_threshold", "r", LKL_TCA_FQ_LOW_RATE_THRESHOLD },
	{ "refill_delay", "u", LKL_TCA_FQ_FLOW_REFILL_DELAY },
	{ "orphan_mask", "n", LKL_TCA_FQ_ORPHAN_MASK },
	{ "ce_threshold", "u", LKL_TCA_FQ_CE_THRESHOLD },
	{ "timer_slack", "t", LKL_TCA_FQ_TIMER_SLACK },
	{ "horizon", "u", LKL_TCA_FQ_HORIZON },
	{ "pacing", "1", LKL_TCA_FQ_RATE_ENABLE },
	{ "nopacing", "0", LKL_TCA_FQ_RATE_ENABLE },
	{ 0 },
};

static const struct option fq_codel_options[] = {
	{ "limit", "n", LKL_TCA_FQ_CODEL_LIMIT },
	{ "flows", "n", LKL_TCA_FQ_CODEL_FLOWS },
	{ "target", "u", LKL_TCA_FQ_CODEL_TARGET },
	{ "interval", "u", LKL_TCA_FQ_CODEL_INTERVAL },
	{ "quantum", "s", LKL_TCA_FQ_CODEL_QUANTUM },
	{ "memory_limit", "s", LKL_TCA_FQ_CODEL_MEMORY_LIMIT },
	{ "drop_batch", "n", LKL_TCA_FQ_CODEL_DROP_BATCH_SIZE },
	{ "ce_threshold", "u", LKL_TCA_FQ_CODEL_CE_THRESHOLD },
	{ "ecn", "1", LKL_TCA_FQ_CODEL_ECN },
	{ "noecn", "0", LKL_TCA_FQ_CODEL_ECN },
	{ 0 },
};

enum {
	NETEM_DELAY,
	NETEM_JITTER,
	NETEM_DELAY_CORR,
	NETEM_LOSS,
	NETEM_LOSS_CORR,
	NETEM_DUPLICATE,
	NETEM_DUPLICATE_CORR,
	NETEM_CORRUPT,
	NETEM_CORRUPT_CORR,
	NETEM_REORDER,
	NETEM_REORDER_CORR,
	NETEM_GAP,
	NETEM_PACKETS,
	NETEM_RATE,
	NETEM_ECN,
};

static const struct option netem_options[] = {
	{ "delay", "ttp", NETEM_DELAY },
	{ "loss", "pp", NETEM_LOSS },
	{ "duplicate", "pp", NETEM_DUPLICATE },
	{ "corrupt", "pp", NETEM_CORRUPT },
	{ "reorder", "pp", NETEM_REORDER },
	{ "gap", "n", NETEM_GAP },
	{ "limit", "n", NETEM_PACKETS },
	{ "rate", "r", NETEM_RATE },
	{ "ecn", "1", NETEM_ECN },
	{ 0 },
};

static int put_netem(struct lkl_nlmsghdr *nlh, struct values *val)
{
	struct lkl_tc_netem_qopt *opt = rtnl_put_space(nlh, sizeof(*opt));
	struct lkl_tc_netem_corr corr = {
		.delay_corr = val->v[NETEM_DELAY_CORR],
		.loss_corr = val->v[NETEM_LOSS_CORR],
		.dup_corr = val->v[NETEM_DUPLICATE_CORR],
	};
	struct lkl_tc_netem_reorder reorder = {
		.probability = val->v[NETEM_REORDER],
		.correlation = val->v[NETEM_REORDER_CORR],
	};
	struct lkl_tc_netem_corrupt corrupt = {
		.probability = val->v[NETEM_CORRUPT],
		.correlation = val->v[NETEM_CORRUPT_CORR],
	};

	opt->limit = has(val, NETEM_PACKETS) ? val->v[NETEM_PACKETS]
					     : NETEM_LIMIT;
	opt->loss = val->v[NETEM_LOSS];
	opt->duplicate = val->v[NETEM_DUPLICATE];
	opt->gap = val->v[NETEM_GAP];
	if (has(val, NETEM_REORDER)) {
		/* Others wait while the reordered one goes at once. */
		if (!has(val, NETEM_DELAY))
			return -LKL_EINVAL;
		if (!opt->gap)
			opt->gap = 1;
		rtnl_put(nlh, LKL_TCA_NETEM_REORDER, sizeof(reorder), &reorder);
	}
	rtnl_put(nlh, LKL_TCA_NETEM_CORR, sizeof(corr), &corr);
	if (has(val, NETEM_CORRUPT))
		rtnl_put(nlh, LKL_TCA_NETEM_CORRUPT, sizeof(corrupt), &corrupt);
	rtnl_put_u64(nlh, LKL_TCA_NETEM_LATENCY64, val->v[NETEM_DELAY]);
	rtnl_put_u64(nlh, LKL_TCA_NETEM_JITTER64, val->v[NETEM_JITTER]);
	if (has(val, NETEM_RATE)) {
		struct lkl_tc_netem_rate rate = { .rate = clamp32(
							  val->v[NETEM_RATE]) };

		rtnl_put_u64(nlh, LKL_TCA_NETEM_RATE64, val->v[NETEM_RATE]);
		rtnl_put(nlh, LKL_TCA_NETEM_RATE, sizeof(rate), &rate);
	}
	if (has(val, NETEM_ECN))
		rtnl_put_u32(nlh, LKL_TCA_NETEM_ECN, 1);
	return 0;
}

/* A rate as messages carry it; without link layer they need a table, too. */
static struct lkl_tc_ratespec ratespec(uint64_t rate)
{
	return (struct lkl_tc_ratespec){
		.linklayer = LKL_TC_LINKLAYER_ETHERNET,
		.rate = clamp32(rate),
	};
}

/* The burst that was asked for, or what suits the rate. */
static uint32_t burst(const struct values *val, int slot, uint64_t rate)
{
	return clamp32(has(val, slot) ? val->v[slot] : rate / 100 + MIN_BURST);
}

enum { TBF_RATE, TBF_BURST, TBF_LIMIT, TBF_WAIT };

static const struct option tbf_options[] = {
	{ "rate", "r", TBF_RATE },
	{ "burst", "s", TBF_BURST },
	{ "limit", "s", TBF_LIMIT },
	{ "latency", "t", TBF_WAIT },
	{ 0 },
};

static int put_tbf(struct lkl_nlmsghdr *nlh, struct values *val)
{
	uint64_t rate = val->v[TBF_RATE], bytes, limit;
	struct lkl_tc_tbf_qopt opt = { .rate = ratespec(rate) };

	if (!rate || (has(val, TBF_LIMIT) && has(val, TBF_WAIT)))
		return -LKL_EINVAL;
	bytes = burst(val, TBF_BURST, rate);
	if (has(val, TBF_LIMIT))
		limit = val->v[TBF_LIMIT];
	else
		limit = (double)rate *
				(has(val, TBF_WAIT) ? val->v[TBF_WAIT]
						    : TBF_LATENCY) /
				NSEC_PER_SEC +
			bytes;
	opt.limit = clamp32(limit);
	rtnl_put(nlh, LKL_TCA_TBF_PARMS, sizeof(opt), &opt);
	rtnl_put_u64(nlh, LKL_TCA_TBF_RATE64, rate);
	rtnl_put_u32(nlh, LKL_TCA_TBF_BURST, bytes);
	return 0;
}

enum { HTB_DEFAULT, HTB_R2Q, HTB_DIRECT_QLEN };

static const struct option htb_options[] = {
	{ "default", "h", HTB_DEFAULT },
	{ "r2q", "n", HTB_R2Q },
	{ "direct_qlen", "n", HTB_DIRECT_QLEN },
	{ 0 },
};

static int put_htb(struct lkl_nlmsghdr *nlh, struct values *val)
{
	struct lkl_tc_htb_glob opt = {
		.version = LKL_TC_HTB_PROTOVER,
		.rate2quantum = has(val, HTB_R2Q) ? val->v[HTB_R2Q] : 10,
		.defcls = val->v[HTB_DEFAULT],
	};

	rtnl_put(nlh, LKL_TCA_HTB_INIT, sizeof(opt), &opt);
	if (has(val, HTB_DIRECT_QLEN))
		rtnl_put_u32(nlh, LKL_TCA_HTB_DIRECT_QLEN,
			     val->v[HTB_DIRECT_QLEN]);
	return 0;
}

enum {
	CLASS_RATE,
	CLASS_CEIL,
	CLASS_BURST,
	CLASS_CBURST,
	CLASS_QUANTUM,
	CLASS_PRIO
};

static const struct option htb_class_options[] = {
	{ "rate", "r", CLASS_RATE },
	{ "ceil", "r", CLASS_CEIL },
	{ "burst", "s", CLASS_BURST },
	{ "cburst", "s", CLASS_CBURST },
	{ "quantum", "s", CLASS_QUANTUM },
	{ "prio", "n", CLASS_PRIO },
	{ 0 },
};

static uint32_t burst_ticks(uint64_t bytes, uint64_t rate)
{
	double ticks = (double)bytes * NSEC_PER_SEC / rate / TICK_NSEC;

	return ticks > UINT32_MAX ? UINT32_MAX : ticks;
}

static int put_htb_class(struct lkl_nlmsghdr *nlh, struct values *val)
{
	uint64_t rate = val->v[CLASS_RATE];
	uint64_t ceil = has(val, CLASS_CEIL) ? val->v[CLASS_CEIL] : rate;
	struct lkl_tc_htb_opt opt = { .rate = ratespec(rate),
				      .ceil = ratespec(ceil),
				      .quantum = val->v[CLASS_QUANTUM],
				      .prio = val->v[CLASS_PRIO] };

	if (!rate || !ceil)
		return -LKL_EINVAL;
	opt.buffer = burst_ticks(burst(val, CLASS_BURST, rate), rate);
	opt.cbuffer = burst_ticks(burst(val, CLASS_CBURST, ceil), ceil);
	rtnl_put_u64(nlh, LKL_TCA_HTB_RATE64, rate);
	rtnl_put_u64(nlh, LKL_TCA_HTB_CEIL64, ceil);
	rtnl_put(nlh, LKL_TCA_HTB_PARMS, sizeof(opt), &opt);
	return 0;
}

static const struct kind {
	const char *name;
	int is_class;
	const struct option *options;
	int (*put)(struct lkl_nlmsghdr *nlh, struct values *val);
} kinds[] = {
	{ "fq", 0, fq_options, put_u32 },
	{ "fq_codel", 0, fq_codel_options, put_u32 },
	{ "netem", 0, netem_options, put_netem },
	{ "tbf", 0, tbf_options, put_tbf },
	{ "htb", 0, htb_options, put_htb },
	{ "htb", 1, htb_class_options, put_htb_class },
};

static const struct kind *find_kind(const char *name, int is_class)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name) &&
		    kinds[i].is_class == is_class)
			return &kinds[i];
	return NULL;
}

/* What the units that a type of value can have multiply it by. */
static const struct unit {
	char type;
	const char *name;
	double factor;
} units[] = {
	/* clang-format off */
	{ 'n', "", 1 },
	{ 's', "", 1 }, { 's', "b", 1 },
	{ 's', "k", 1 << 10 }, { 's', "kb", 1 << 10 },
	{ 's', "m", 1 << 20 }, { 's', "mb", 1 << 20 },
	{ 's', "g", 1 << 30 }, { 's', "gb", 1 << 30 },
	{ 't', "", 1e3 }, { 't', "ns", 1 }, { 't', "us", 1e3 },
	{ 't', "ms", 1e6 }, { 't', "s", 1e9 },
	{ 'u', "", 1 }, { 'u', "us", 1 }, { 'u', "ms", 1e3 }, { 'u', "s", 1e6 },
	{ 'r', "", 0.125 }, { 'r', "bit", 0.125 }, { 'r', "kbit", 125 },
	{ 'r', "mbit", 125e3 }, { 'r', "gbit", 125e6 },
	{ 'r', "bps", 1 }, { 'r', "kbps", 1e3 }, { 'r', "mbps", 1e6 },
	{ 'r', "gbps", 1e9 },
	{ 'p', "%", UINT32_MAX / 100.0 },
	/* clang-format on */
};

static int parse_value(const char *word, char type, uint64_t *value)
{
	double number;
	char *end;

	errno = 0;
	if (type == 'h') {
		*value = strtoul(word, &end, 16);
		return *end || end == word || errno ? -LKL_EINVAL : 0;
	}
	number = strtod(word, &end);
	if (end == word || errno || !(number >= 0))
		return -LKL_EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].type != type || strcasecmp(units[i].name, end))
			continue;
		if (type == 'p' && number > 100)
			return -LKL_ERANGE;
		number *= units[i].factor;
		if (number >= 0x1p63)
			return -LKL_ERANGE;
		*value = number;
		return 0;
	}
	return -LKL_EINVAL;
}

/* Split a string into words, with a NULL behind the last. */
static int split(char *s, char *words[MAX_WORDS + 1])
{
	char *rest, *word = strtok_r(s, " \t", &rest);
	int count = 0;

	while (word && count < MAX_WORDS) {
		words[count++] = word;
		word = strtok_r(NULL, " \t", &rest);
	}
	words[count] = NULL;
	return word ? -LKL_E2BIG : 0;
}

/* Read the options of a kind; *@word is the one that an error is about. */
static int parse_options(const struct option *options, char **words,
			 struct values *val, char **word)
{
	while ((*word = *words++)) {
		const struct option *option = options;
		int slot, err = 0;

		while (option->name && strcmp(option->name, *word))
			option++;
		if (!option->name)
			return -LKL_EINVAL;
		slot = option->slot;
		val->set |= 1U << slot;
		if (isdigit((unsigned char)*option->types)) {
			val->v[slot] = *option->types - '0';
			continue;
		}
		if (!*words)
			return -LKL_EINVAL;
		for (const char *type = option->types; *type; type++, slot++) {
			if (type > option->types &&
			    (!*words || !isdigit((unsigned char)**words)))
				break;
			*word = *words++;
			err = parse_value(*word, *type, &val->v[slot]);
			if (err)
				return err;
		}
	}
	return 0;
}

/* A handle like "1:" or "1:10". */
static int parse_handle(const char *word, uint32_t *handle)
{
	unsigned long major, minor;
	char *end;

	major = strtoul(word, &end, 16);
	if (end == word || *end != ':' || major > 0xffff)
		return -LKL_EINVAL;
	minor = strtoul(end + 1, &end, 16);
	if (*end || minor > 0xffff)
		return -LKL_EINVAL;
	*handle = major << 16 | minor;
	return 0;
}

/* Where to put it: "root", "ingress", "parent P", with "handle" or "classid" */
static int parse_where(char **words, struct lkl_tcmsg *tc, int *is_class,
		       char **word)
{
	int err = 0;

	while ((*word = *words++)) {
		uint32_t *handle = &tc->tcm_handle;

		if (!strcmp(*word, "root")) {
			tc->tcm_parent = LKL_TC_H_ROOT;
			continue;
		}
		if (!strcmp(*word, "ingress")) {
			tc->tcm_parent = LKL_TC_H_INGRESS;
			continue;
		}
		if (!strcmp(*word, "parent"))
			handle = &tc->tcm_parent;
		else if (!strcmp(*word, "classid"))
			*is_class = 1;
		else if (strcmp(*word, "handle"))
			return -LKL_EINVAL;
		if (!*words)
			return -LKL_EINVAL;
		*word = *words++;
		err = parse_handle(*word, handle);
		if (err)
			return err;
	}
	return tc->tcm_parent ? 0 : -LKL_EINVAL;
}

/* Both strings are changed; *@word is the one that an error is about, or NULL.
 */
static int qdisc_add(int ifindex, char *where, char *what, char **word)
{
	_Alignas(struct lkl_nlmsghdr) char buf[RTNL_REQUEST_SIZE];
	struct lkl_tcmsg tc = { .tcm_ifindex = ifindex };
	char *words[MAX_WORDS + 1], *name;
	struct values val = { 0 };
	const struct kind *kind;
	struct lkl_nlattr *options;
	struct lkl_nlmsghdr *nlh;
	int is_class = 0, err;

	err = split(where, words);
	if (!err)
		err = parse_where(words, &tc, &is_class, word);
	if (!err)
		err = split(what, words);
	if (err)
		return err;
	*word = name = words[0];
	if (!name)
		return -LKL_EINVAL;
	if (strlen(name) >= LKL_IFNAMSIZ)
		return -LKL_ENOENT;
	nlh = rtnl_request(buf, is_class ? LKL_RTM_NEWTCLASS : LKL_RTM_NEWQDISC,
			   LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE, &tc,
			   sizeof(tc));
	rtnl_put_string(nlh, LKL_TCA_KIND, name);
	kind = find_kind(name, is_class);
	if (kind) {
		err = parse_options(kind->options, words + 1, &val, word);
		if (err)
			return err;
		options = rtnl_nest(nlh, LKL_TCA_OPTIONS);
		err = kind->put(nlh, &val);
		if (err)
			return err;
		rtnl_nest_end(nlh, options);
	} else if (words[1]) {
		*word = words[1];
		return -LKL_EINVAL;
	}
	return rtnl_talk(nlh, NULL, NULL);
}

int lkl_qdisc_add(int ifindex, const char *root, const char *type)
{
	char *where = strdup(root), *what = strdup(type), *word;
	int err = -LKL_ENOMEM;

	if (where && what)
		err = qdisc_add(ifindex, where, what, &word);
	free(where);
	free(what);
	return err;
}

static int parse_entry(char *entry, void *arg)
{
	char *copy = strdup(entry), *bar = strchr(entry, '|'), *word = NULL;
	int err = -LKL_EINVAL;

	if (!copy)
		return -LKL_ENOMEM;
	if (bar) {
		*bar = 0;
		err = qdisc_add(*(int *)arg, entry, bar + 1, &word);
	}
	if (err)
		fprintf(stderr, "lkl: qdisc '%s': %s%s%s\n", copy,
			word ? word : "", word ? ": " : "",
			bar ? lkl_strerror(err) : "there is no '|'");
	free(copy);
	return err;
}

int rtnl_qdiscs(int ifindex, const char *entries)
{
	return rtnl_entries(entries, parse_entry, &ifindex);
}

void lkl_qdisc_parse_add(int ifindex, const char *entries)
{
	rtnl_qdiscs(ifindex, entries);
}
