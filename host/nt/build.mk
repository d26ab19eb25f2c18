# SPDX-License-Identifier: GPL-2.0-only
#
# make HOST=windows: the library for 64-bit Windows, by mingw-w64, in build/windows.
#
#	kernel	kernel/lkl.image
#	lib	lib/liblkl.a, with the kernel as an image in it; lib/lkl.dll with the
#		import library lib/liblkl.dll.a
#	tools	bin/cptofs.exe, bin/cpfromfs.exe, bin/fs2tar.exe, bin/tar2fs.exe and
#		bin/lkl.exe, which need no other file
#	tests	tests/portable.exe and, with the DLL, tests/portable-dll.exe
#	sources	Debian's sources of what else the tools take, build/source/
#	install	the library and its headers, into PREFIX
#
# What of the library is left out needs what Windows does not have: wires, disks on
# the network, handlers of signals.  The tools are those of tools/, with headers in
# tools/nt/posix/ and functions in tools/nt/ for what they ask of Linux.

include host/nt/tools.mk
export PAGE := 64
export KERNEL_CONFIG ?= base fs windows

ALL_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-pointer-to-int-cast -D_GNU_SOURCE \
	     -Iinclude -I$(BUILD)/include -MMD -MP
# What a program needs beside the library.
LIBS	:= -Wl,--section-alignment,65536 -lsynchronization -lbcrypt -lpthread

SRCS	:= $(patsubst %,lib/%.c,blk blk/overlay blk/pool blk/request boot call errno freeze \
	   fs life nosnapshot process vdev virtio vstate) $(wildcard host/nt/*.c) door/image.c
OBJS	:= $(SRCS:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/door/x86/entries.o
IMAGE	:= $(BUILD)/kernel/lkl.image
HEADERS	:= $(BUILD)/headers.stamp
LIB	:= $(BUILD)/lib/liblkl.a
DLL	:= $(BUILD)/lib/lkl.dll

# What the tools use of tools/common/; the rest asks for other processes or for
# libraries that there are not.
COMMON	:= contents control copy disk escape escape_record fs_image holes idmap image kernel metadata names overlay \
	   probe progress remove resolve sector sink stream stream_check tool walk \
	   walk_count walk_names
TOOL_OBJS := $(COMMON:%=$(BUILD)/obj/tools/common/%.o) \
	   $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/oci.c,$(wildcard tools/elsewhere/*.c tools/nt/*.c)))
TOOLS	:= $(addprefix $(BUILD)/bin/,cptofs.exe cpfromfs.exe fs2tar.exe tar2fs.exe lkl.exe)
# And of tools/lkl/; for the others, tools/elsewhere/verbs.c says that they are not here.
VERBS	:= args cat change cp df du ids info json log ls mode move output owner path replace \
	   session stat sum text tree trim verb_find verbs words write
LKL_OBJS := $(VERBS:%=$(BUILD)/obj/tools/lkl/%.o)
# Archives, but for OCI images.
TAR_OBJS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tools/fs2tar/*.c tools/nt/archive/*.c) \
	   $(filter-out %/oci.c,$(wildcard tools/archive/*.c)) tools/nt/oci.c)

all: lib tools tests
kernel: $(IMAGE)
tools: $(TOOLS)
lib: $(LIB) $(DLL)
tests: $(BUILD)/tests/portable.exe $(BUILD)/tests/portable-dll.exe

$(HEADERS): FORCE
	+@$(MAKE) --no-print-directory -C kernel headers

$(IMAGE): FORCE | $(HEADERS)
	+@$(MAKE) --no-print-directory -C kernel $@

$(BUILD)/obj/%.o: %.c | $(HEADERS)
	@echo "  CC      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/obj/tools/%.o $(BUILD)/obj/tools/nt/%.o: ALL_CFLAGS += $(NT_CFLAGS) \
	-DLKL_VERSION='"$(VERSION)"'
# tools/nt/main.c comes first.
$(TOOLS:$(BUILD)/bin/%.exe=$(BUILD)/obj/tools/%.o): ALL_CFLAGS += -Dmain=tool_main

$(BUILD)/bin/cptofs.exe: $(BUILD)/obj/tools/cptofs.o $(TOOL_OBJS) $(LIB)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -municode -static -s -o $@ $^ $(LIBS) -lntdll

$(BUILD)/bin/lkl.exe: $(BUILD)/obj/tools/lkl.o $(LKL_OBJS) $(TOOL_OBJS) $(LIB)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -municode -static -s -o $@ $^ $(LIBS) -lntdll

$(BUILD)/bin/fs2tar.exe: $(BUILD)/obj/tools/fs2tar.o $(TAR_OBJS) $(TOOL_OBJS) $(ARCHIVE) $(LIB)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -municode -static -s -o $@ $^ $(LIBS) -lntdll -lz

$(BUILD)/bin/cpfromfs.exe: $(BUILD)/bin/cptofs.exe
$(BUILD)/bin/tar2fs.exe: $(BUILD)/bin/fs2tar.exe
$(BUILD)/bin/cpfromfs.exe $(BUILD)/bin/tar2fs.exe:
	@cp $< $@

$(TAR_OBJS) $(BUILD)/obj/tools/fs2tar.o: ALL_CFLAGS += -I$(SOURCE)/libarchive/libarchive \
	-DLIBARCHIVE_STATIC
$(BUILD)/obj/tools/nt/archive/%.o: ALL_CFLAGS += -Itools/nt/archive -DPLATFORM_CONFIG_H='"config.h"'
$(TAR_OBJS) $(BUILD)/obj/tools/fs2tar.o: | $(SOURCE)/libarchive

sources: | $(addprefix $(SOURCE)/,$(SOURCES))

$(addprefix $(SOURCE)/,$(SOURCES)) &:
	@scripts/source.sh $(SOURCE) $(SOURCES)

$(ARCHIVE): FORCE | $(addprefix $(SOURCE)/,$(SOURCES)) $(HEADERS)
	+@$(MAKE) --no-print-directory -f host/nt/archive.mk $@

$(BUILD)/obj/door/x86/entries.o: door/x86/entries.S $(IMAGE)
	@echo "  AS      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -DDOOR_IMAGE='"$(IMAGE)"' -c -o $@ $<

$(LIB): $(OBJS)
	@echo "  AR      $@"
	@mkdir -p $(@D)
	@rm -f $@
	@$(CROSS)ar rcsD $@ $^

# What lib/lkl.map names and is there.
$(BUILD)/obj/lkl.def: $(LIB) lib/lkl.map
	@sed -n 's/^\t\t\(lkl_.*\);/\1/p' lib/lkl.map > $@.names
	@(echo EXPORTS; $(CROSS)nm --defined-only $(LIB) 2>&1 | awk 'NR == FNR { named[$$1] = 1; next } \
		NF == 3 && named[$$3] { print $$3, $$2 ~ /[BDR]/ ? "DATA" : "" }' $@.names - | sort -u) > $@.tmp
	@mv $@.tmp $@

# It needs no other file.
$(DLL): $(LIB) $(BUILD)/obj/lkl.def
	@echo "  LD      $@"
	@$(CC) -shared -static -o $@ $(BUILD)/obj/lkl.def -Wl,--whole-archive $(LIB) \
		-Wl,--no-whole-archive -Wl,--out-implib,$(BUILD)/lib/liblkl.dll.a $(LIBS)

$(BUILD)/tests/portable-dll.exe: $(BUILD)/obj/tests/library/portable.o $(DLL)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -static -o $@ $< $(BUILD)/lib/liblkl.dll.a -lpthread
	@cp $(DLL) $(@D)

install: lib tools
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include lib/pkgconfig)
	install -m 644 $(LIB) $(BUILD)/lib/liblkl.dll.a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(DLL) $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS)|' \
		packaging/lkl.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/lkl.pc
	install -m 644 include/*.h $(DESTDIR)$(PREFIX)/include
	cp -r $(BUILD)/include/lkl $(DESTDIR)$(PREFIX)/include

$(BUILD)/tests/%.exe: $(BUILD)/obj/tests/library/%.o $(LIB)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -static -o $@ $^ $(LIBS)

FORCE:
.PHONY: all kernel lib tools tests sources install FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJS:.o=.d) $(TOOL_OBJS:.o=.d) $(LKL_OBJS:.o=.d) $(TAR_OBJS:.o=.d) \
	 $(BUILD)/obj/tools/cptofs.d $(BUILD)/obj/tools/fs2tar.d $(BUILD)/obj/tools/lkl.d $(BUILD)/obj/tests/library/portable.d
