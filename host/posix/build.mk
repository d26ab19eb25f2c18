# SPDX-License-Identifier: GPL-2.0-only
#
# make HOST=posix: the library and the tools that copy, for systems of which no more is
# known than POSIX says, into build/posix.
#
#	lib	lib/liblkl.a and lib/liblkl.so
#	tools	bin/cptofs, bin/cpfromfs and bin/lkl
#
# SYSTEM is the one that this runs on, of which one thing has to be known: how it tells
# a handler of registers (host/posix/x86/SYSTEM.c).  The kernel is an image of its own,
# $(BUILD)/kernel/lkl.image.  KERNEL_IMAGE takes another one, built elsewhere, with its
# headers in KERNEL_HEADERS.

SYSTEM	?= linux
OUT	:= $(BUILD)/posix
KERNEL_IMAGE ?= $(BUILD)/kernel/lkl.image
KERNEL_HEADERS ?= $(BUILD)/include

# No other names of the system's headers are seen than those of POSIX.
POSIX	:= -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700
ALL_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -fPIC -fvisibility=hidden $(POSIX) -pthread \
	     -Iinclude -I$(KERNEL_HEADERS) -MMD -MP $(CFLAGS)
LDFLAGS	:= -Wl,-z,relro -Wl,-z,noexecstack
LIBS	:= -pthread -lrt

LIB_SRCS := $(patsubst %,lib/%.c,blk blk/overlay blk/pool blk/request boot call debug errno \
	   freeze fs life message process qdisc rtnl sysctl vdev virtio vstate nosnapshot) \
	   $(wildcard host/posix/*.c) host/posix/x86/$(SYSTEM).c door/image.c
OBJS	:= $(LIB_SRCS:%.c=$(OUT)/obj/%.o) $(OUT)/obj/door/x86/entries.o
LIB	:= $(OUT)/lib/liblkl

# What the tools use of tools/common/ and tools/lkl/; the rest asks for other processes, or for
# what is on Linux only.
COMMON	:= $(patsubst %,tools/common/%.c,contents control copy disk escape escape_record fs_image holes idmap image \
	   kernel metadata names overlay probe progress remove resolve sector signals sink stream \
	   stream_check tool walk walk_count walk_names) $(wildcard tools/elsewhere/*.c tools/posix/*.c)
VERBS	:= $(patsubst %,tools/lkl/%.c,args cat change cp df du ids info json log ls mode move output \
	   owner path replace session stat sum text tree trim verb_find verbs words write)
TOOL_OBJS := $(filter-out %/verbs.o %/execute.o,$(COMMON:%.c=$(OUT)/obj/%.o))
VERB_OBJS := $(VERBS:%.c=$(OUT)/obj/%.o) $(OUT)/obj/tools/elsewhere/verbs.o \
	   $(OUT)/obj/tools/posix/execute.o
TOOLS	:= $(addprefix $(OUT)/bin/,cptofs cpfromfs lkl)
TOOL_LIBS := -lblkid -ljson-c

all: lib tools
lib: $(LIB).a $(LIB).so
tools: $(TOOLS)

ifeq ($(KERNEL_IMAGE),$(BUILD)/kernel/lkl.image)
$(BUILD)/headers.stamp: FORCE
	+@$(MAKE) --no-print-directory -C kernel headers
$(OBJS) $(TOOL_OBJS) $(VERB_OBJS): | $(BUILD)/headers.stamp

$(KERNEL_IMAGE): FORCE
	+@$(MAKE) --no-print-directory -C kernel $@
endif

$(OUT)/obj/door/x86/entries.o: $(KERNEL_IMAGE)
$(OUT)/obj/door/x86/entries.o: ALL_CFLAGS += -DDOOR_IMAGE='"$(KERNEL_IMAGE)"'

$(OUT)/obj/%.o: %.c
	@echo "  CC      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/obj/%.o: %.S
	@echo "  AS      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# One object, in which everything is local but what lib/lkl.map names.
$(OUT)/obj/liblkl.o: $(OBJS) lib/lkl.map
	@echo "  LD      $@"
	@sed -n 's/^		\(lkl_.*\);/\1/p' lib/lkl.map > $(OUT)/obj/lkl.symbols
	@ld -r -z noexecstack -o $@.tmp $(OBJS)
	@$(OBJCOPY) --keep-global-symbols=$(OUT)/obj/lkl.symbols $@.tmp
	@mv $@.tmp $@

$(LIB).a: $(OUT)/obj/liblkl.o
	@echo "  AR      $@"
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcsD $@ $<

$(LIB).so: $(OUT)/obj/liblkl.o
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -shared -o $@ $< $(LDFLAGS) -Wl,-z,text -Wl,-z,defs -Wl,-Bsymbolic-functions \
		-Wl,-soname,$(SONAME) -Wl,--version-script=lib/lkl.map $(LIBS)
	@ln -sf liblkl.so $(@D)/$(SONAME)

$(OUT)/obj/tools/%.o: ALL_CFLAGS += -Itools/posix/include -DLKL_VERSION='"$(VERSION)"'

$(OUT)/bin/cptofs: $(OUT)/obj/tools/cptofs.o $(TOOL_OBJS) $(LIB).a
$(OUT)/bin/lkl: $(OUT)/obj/tools/lkl.o $(TOOL_OBJS) $(VERB_OBJS) $(LIB).a
$(OUT)/bin/cptofs $(OUT)/bin/lkl:
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ $(LDFLAGS) $(TOOL_LIBS) $(LIBS)

$(OUT)/bin/cpfromfs: $(OUT)/bin/cptofs
	@ln -sf cptofs $@

FORCE:
.PHONY: all lib tools FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJS:.o=.d) $(TOOL_OBJS:.o=.d) $(VERB_OBJS:.o=.d) $(OUT)/obj/tools/cptofs.d \
	 $(OUT)/obj/tools/lkl.d
