# SPDX-License-Identifier: GPL-2.0-only
#
#	make			build the library and the tools into build/
#	make check		the same from nothing, packages included, then all tests
#	make check-windows	build and test the library for Windows
#	make demo		the same, then show what it can do
#	make nightly		the tests that take long: damaged images, sudden death
#	make bench		measure, beside the host's own kernel
#	make install		into $(DESTDIR)$(PREFIX)
#	make SANITIZE=address,undefined		instrument all but the kernel, in
#			build/sanitize
#	make PAGE=64		with a kernel that has pages of 64 KiB (or 16) instead of 4,
#			in build64k (build16k)
#	make HOST=windows	the library for Windows, in build/windows: host/nt/build.mk
#	make IMAGE=1 lib	with the kernel as an image of its own, in build/image
#	make HOST=posix	the library and the tools that copy, by what POSIX says alone, in
#			build/posix: host/posix/build.mk
#	make FLAVOUR=lockdep	with a kernel that checks its locks and lists, in
#			build/lockdep; FLAVOUR=kasan: its uses of memory, in build/kasan
#	make deps		install the packages that are needed (Debian)
#	make clean		remove build/
#
# KERNEL_SRC= takes another Linux tree or tarball, KERNEL_CONFIG= other parts of
# its configuration; see kernel/Makefile.

VERSION	:= 0.1
SONAME	:= liblkl.so.0

PREFIX	?= /usr/local
ifeq ($(HOST),windows)
FLAVOUR	:= windows
BUILD	?= $(CURDIR)/build/windows
else
BUILD	?= $(CURDIR)/build$(if $(filter-out 4,$(PAGE)),$(PAGE)k)$(FLAVOUR:%=/%)
endif
export BUILD FLAVOUR

CC	:= $(if $(shell command -v ccache),ccache )gcc
OBJCOPY	:= objcopy
CFLAGS	:= -O2 -g

ifeq ($(HOST),windows)
include host/nt/build.mk
else ifeq ($(HOST),posix)
include host/posix/build.mk
else

# Debian packages: to build, to run the tools, and to test.
DEBS	:= gcc libc6-dev make flex bison bc perl python3 rsync xz-utils ccache \
	   linux-source-6.12 pkg-config libblkid-dev libjson-c-dev \
	   libnl-3-dev libnl-route-3-dev libarchive-dev nettle-dev libext2fs-dev libfuse3-dev fuse3 libseccomp-dev scdoc \
	   libnbd-dev libcryptsetup-dev libedit-dev python3-dev python3-cffi
DEBS	+= g++ libcmocka-dev libmnl-dev acl attr libcap2-bin e2fsprogs xfsprogs btrfs-progs \
	   f2fs-tools dosfstools exfatprogs squashfs-tools erofs-utils fdisk \
	   openssh-server fakeroot strace gdb valgrind libarchive-tools zstd \
	   xorriso genisoimage udftools ntfs-3g genromfs mtools 7zip \
	   qemu-utils nbdkit cryptsetup-bin lvm2 mdadm
DEBS	+= libslirp-dev libvdeplug-dev libxdp-dev libbpf-dev iproute2 nftables iptables vde2 curl iperf3 nginx-light openssl \
	   wireguard-tools wireguard-go qemu-system-x86 ipxe-qemu
DEBS	+= libzydis-dev golang-go golang-github-vishvananda-netlink-dev \
	   musl-tools busybox-static nodejs redis-server socat netcat-openbsd wget \
	   bind9-dnsutils libnl-utils haproxy iputils-ping procps dropbear-bin \
	   python3-pyroute2 wrk dpdk-dev tcpdump bubblewrap \
	   memcached mosquitto mosquitto-clients dnsmasq-base lighttpd php-cli ruby-webrick fping \
	   mtr-tiny nmap vsftpd aria2 tinyproxy apache2-bin
DEBS	+= debhelper dh-python elfutils chrpath lintian mmdebstrap
DEBS	+= python3-pytest python3-fsspec python3-setuptools python3-wheel mypy
DEBS	+= gcc-mingw-w64-x86-64-posix mingw-w64-x86-64-dev g++-mingw-w64-x86-64-posix wine64 \
	   libz-mingw-w64-dev dpkg-dev

ALL_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -fPIC -fvisibility=hidden \
	     -D_GNU_SOURCE -pthread \
	     -Iinclude -I$(BUILD)/include -MMD -MP $(CFLAGS)
# Where all but the kernel goes.
OUT	:= $(BUILD)$(if $(SANITIZE),/sanitize)$(if $(IMAGE),/image)
ifdef SANITIZE
ALL_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
endif
LDFLAGS	:= -Wl,-z,relro -Wl,-z,noexecstack
# What the library uses, and what else a program needs that is linked with
# liblkl.a; goes into lkl.pc, too.
LIB_LIBS := -ljson-c
LIBS	:= -pthread $(SANITIZE:%=-fsanitize=%)

# Each tool is a file in tools/ and what is in the folder of its name, linked
# with tools/common; those that read archives also with tools/archive.  Some go
# by two names.
TOOLS	:= $(patsubst tools/%.c,%,$(wildcard tools/*.c))
ALIASES	:= cpfromfs:cptofs tar2fs:fs2tar
TOOL_LIBS := -lblkid -ljson-c -lseccomp
LIBS_fs2tar := -larchive -lnettle
LIBS_lkl-mkfs := -larchive -lnettle -lext2fs -lcom_err
LIBS_lklfuse := -lfuse3
LIBS_lkl-fsck := -lfuse3
LIBS_lkl-resize := -lfuse3

# Each C file in a folder of tests/ is a program, build/tests/NAME; some test parts
# without the kernel.
# Preloaded, see tests/run.
PRELOADED := tests/common/kernel.c
TEST_SRCS := $(filter-out $(PRELOADED),$(wildcard tests/*/*.c))
TESTS	:= $(basename $(notdir $(TEST_SRCS)))
PARTS_ring := lib/process lib/virtio lib/vdev lib/blk lib/blk/request lib/blk/pool lib/blk/overlay \
	host/linux/disk host/linux/zeroed
PARTS_hostdir-hostile := lib/virtio $(addprefix lib/hostdir/,serve names nodes handles attr xattr data list)
PARTS_block := $(PARTS_ring)
PARTS_block-backend := $(PARTS_ring)
PARTS_vhost-hostile-answers := lib/net/fd lib/net/own lib/net/queues host/linux/memory \
	$(addprefix lib/vhost/,client client-make client-poll client-user driver protocol)
PARTS_confined := $(addprefix tools/common/,sandbox confine tool signals control)
LIBS_vhost-hostile-device = $(OUT)/obj/lib/vhost/protocol.o
PARTS_distrust := $(addprefix tools/common/,stream stream_check stream_host tool signals control)
PARTS_link := $(addprefix tools/common/,link tool signals control)
LIBS_confined = -L$(OUT)/lib -llkl -lseccomp

BENCHES	:= $(patsubst bench/%.c,%,$(wildcard bench/*.c))

MAN	:= $(patsubst docs/man/%.scd,$(OUT)/man/%,$(wildcard docs/man/*.scd))
# Those of functions are made from an example and the headers.
MAN	+= $(patsubst docs/man/functions/%.c,$(OUT)/man/%.3,$(wildcard docs/man/functions/*.c))

LIB	:= $(OUT)/lib/liblkl
# The same, always at one address: it can start from a snapshot.
FIXED	:= $(OUT)/lib/lkl-fixed/liblkl
FIXED_RUN := $(OUT)/lib/lkl-fixed/lkl-run
objects	= $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard $(1)))
assembled = $(patsubst %.S,$(OUT)/obj/%.o,$(wildcard $(1)))
# The first is for hosts without snapshots, the second calls more of the kernel than has an
# entry in an image.
OBJS	:= $(filter-out %/lib/nosnapshot.o $(if $(IMAGE),%/lib/move.o),\
	   $(call objects,lib/*.c lib/*/*.c host/linux/*.c) \
	   $(addprefix $(OUT)/obj/host/posix/,fault.o limits.o signal.o thread.o x86/linux.o))
# An object of its own in liblkl.a: only programs that read such files need json-c.
JSON_OBJ := $(OUT)/obj/lib/config/json.o
COMMON	:= $(call objects,tools/common/*.c)
ARCHIVE	:= $(call objects,tools/archive/*.c)
WITH_fs2tar := $(ARCHIVE)
WITH_lkl-mkfs := $(ARCHIVE)
# What shows programs of the host a device.
WITH_lkl-resize := $(call objects,tools/lkl-fsck/*.c)
# The interception: its core, and the library that takes a program there.
HIJACK	:= $(call objects,hijack/*.c) $(OUT)/obj/hijack/x86/user.o
# What both ways in have.
WAY	:= $(call objects,hijack/way/*.c hijack/way/x86/*.c hijack/rewrite/*.c)
PRELOAD	:= $(OUT)/lib/liblkl-hijack.so
PRELOAD_OBJS := $(HIJACK) $(call objects,hijack/preload/*.c) \
	$(call assembled,hijack/preload/x86/*.S) $(WAY)
# The launcher that does it for all programs.
RUN	:= $(OUT)/bin/lkl-run
RUN_GO	:= $(patsubst tests/hijack/%.go,$(OUT)/tests/%,$(wildcard tests/hijack/*.go))
# One of them also with libc, as Go does it that finds a C compiler.
RUN_CGO	:= $(OUT)/tests/run-http-cgo
RUN_OBJS := $(HIJACK) $(WAY) $(call objects,hijack/run/*.c) $(call assembled,hijack/run/x86/*.S)
# libnl-3 for the library's kernel.
NL	:= $(OUT)/lib/liblkl-nl
NL_OBJS	:= $(call objects,nl/*.c)
NL_CFLAGS := -I/usr/include/libnl3
NL_LIBS	:= -lnl-route-3 -lnl-3
HEADERS	:= $(BUILD)/headers.stamp
KERNEL	:= $(BUILD)/kernel/lkl.o
# What of the kernel is linked with the library: itself, or an image of it and the
# way in.
LINKED	:= $(if $(IMAGE),$(call assembled,door/x86/*.S) $(call objects,door/*.c host/posix/door.c),$(KERNEL))

# The Python package, which finds the library above it, before and after it is
# installed.
PYTHON	:= /usr/bin/python3
PYTHON_DIR := $(OUT)/lib/python3/dist-packages

# The tools and tests find the library beside them, before and after they are
# installed.
RPATH	:= -Wl,-rpath,'$$ORIGIN/../lib'

all: lib tools hijack man python
lib: $(LIB).a $(LIB).so $(LIB).so-gdb.py $(FIXED).so $(NL).a $(NL).so
tools: $(TOOLS:%=$(OUT)/bin/%) $(foreach a,$(ALIASES),$(OUT)/bin/$(firstword $(subst :, ,$a)))
hijack: $(PRELOAD) $(FIXED)-hijack.so $(RUN) $(FIXED_RUN) $(RUN)-gdb.py $(OUT)/bin/lkl-hijack.sh
tests: $(TESTS:%=$(OUT)/tests/%) $(OUT)/tests/kernel.so $(RUN_GO) $(RUN_CGO)
benches: $(BENCHES:%=$(OUT)/bench/%)
man: $(MAN)
python: $(PYTHON_DIR)/stamp

# The kernel's own makefiles know best what is out of date.
$(HEADERS): FORCE
	+@$(MAKE) --no-print-directory -C kernel headers

$(KERNEL): FORCE | $(HEADERS)
	+@$(MAKE) --no-print-directory -C kernel $@

$(BUILD)/kernel/lkl.image: $(KERNEL)
	+@$(MAKE) --no-print-directory -C kernel $@

$(OUT)/obj/door/x86/entries.o: $(BUILD)/kernel/lkl.image
$(OUT)/obj/door/x86/entries.o: ALL_CFLAGS += -DDOOR_IMAGE='"$(BUILD)/kernel/lkl.image"'

$(OUT)/obj/%.o: %.c | $(HEADERS)
	@echo "  CC      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/obj/%.o: %.S
	@echo "  AS      $<"
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# One object, in which everything is local but what lib/lkl.map names, and what the
# object beside it needs.
$(OUT)/obj/liblkl.o: $(OBJS) $(LINKED) lib/lkl.map
	@echo "  LD      $@"
	@sed -n 's/^\t\t\(lkl_.*\);/\1/p' lib/lkl.map > $(OUT)/obj/lkl.symbols
	@nm -u $(JSON_OBJ) | sed -n 's/^ *U \(lkl_.*\)/\1/p' >> $(OUT)/obj/lkl.symbols
	@ld -r -z noexecstack -o $@.tmp $(filter-out $(JSON_OBJ),$(OBJS)) $(LINKED)
	@$(OBJCOPY) --keep-global-symbols=$(OUT)/obj/lkl.symbols $@.tmp
	@mv $@.tmp $@

# The kernel's DWARF is many times its size: the static library keeps what it
# takes to unwind the stack, the shared one leaves it in a file for gdb to find.
$(LIB).a: $(OUT)/obj/liblkl.o
	@echo "  AR      $@"
	@mkdir -p $(@D)
	@rm -f $@
	@$(OBJCOPY) --strip-debug --keep-section=.debug_frame $< $(OUT)/obj/lkl.o
	@$(OBJCOPY) --strip-debug $(JSON_OBJ) $(OUT)/obj/lkl-json.o
	@ar rcsD $@ $(OUT)/obj/lkl.o $(OUT)/obj/lkl-json.o

define split-debug
@$(OBJCOPY) --strip-debug $@.debug $@.tmp
@$(OBJCOPY) --only-keep-debug $@.debug
@$(OBJCOPY) --add-gnu-debuglink=$@.debug $@.tmp
@mv $@.tmp $@
endef

# The library and that of the interception may be in one process; what is not a shared
# library has to be among the first 2 GiB.
$(FIXED).so: LDFLAGS += -Wl,-Ttext-segment=0x160000000000
$(FIXED)-hijack.so: LDFLAGS += -Wl,-Ttext-segment=0x168000000000
$(FIXED_RUN): LDFLAGS += -no-pie -Wl,-Ttext-segment=0x60000000
$(LIB).so $(FIXED).so: $(OUT)/obj/liblkl.o
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -shared -o $@.debug $< $(JSON_OBJ) $(LDFLAGS) -Wl,-z,text -Wl,-z,defs -Wl,-z,pack-relative-relocs \
		-Wl,-Bsymbolic-functions -Wl,-soname,$(SONAME) \
		-Wl,--version-script=lib/lkl.map $(LIB_LIBS) $(LIBS)
	$(split-debug)
	@ln -sf liblkl.so $(@D)/$(SONAME)

$(NL_OBJS) $(OUT)/obj/tests/net/nl.o: ALL_CFLAGS += $(NL_CFLAGS)

# A program that is linked statically can have a function of libnl once only.
$(NL).a: $(filter-out $(call objects,nl/ordinary.c),$(NL_OBJS))
	@echo "  AR      $@"
	@rm -f $@
	@ar rcsD $@ $^

$(NL).so: $(NL_OBJS) $(LIB).so
	@echo "  LD      $@"
	@$(CC) -shared -o $@ $(NL_OBJS) $(LDFLAGS) -Wl,-z,defs \
		-Wl,-soname,$(@F).0 -L$(OUT)/lib -llkl -lnl-3 $(LIBS)
	@ln -sf $(@F) $@.0

$(OUT)/tests/nl: $(NL).so
$(OUT)/tests/confined: $(LIB).so
LIBS_nl	:= -llkl-nl $(NL_LIBS)

$(OUT)/obj/preload.map:
	@mkdir -p $(@D)
	@echo '{ local: *; };' > $@.tmp
	@mv $@.tmp $@

# A library of its own: the program may use liblkl.so for something else.
$(PRELOAD) $(FIXED)-hijack.so: $(PRELOAD_OBJS) $(OBJS) $(KERNEL) | $(OUT)/obj/preload.map
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -shared -o $@.debug $^ $(LDFLAGS) -Wl,-z,text -Wl,-z,defs \
		-Wl,--version-script=$(OUT)/obj/preload.map,-z,now,-soname,$(@F) $(LIB_LIBS) \
		-lZydis $(LIBS)
	$(split-debug)

# A program's vector registers survive a system call, and what runs in one uses
# none; the two that are left out do not.
$(filter-out $(call objects,lib/qdisc.c host/posix/fault.c),$(OBJS)) $(HIJACK) \
	$(call objects,hijack/way/*.c hijack/way/x86/*.c) $(addprefix $(OUT)/obj/hijack/,preload/call.o \
	preload/context.o preload/thread.o run/call.o run/context.o run/trap.o): \
	ALL_CFLAGS += -mgeneral-regs-only
$(OUT)/obj/hijack/memory.o: ALL_CFLAGS += -fno-builtin -fno-tree-loop-distribute-patterns

# Which kernel a call goes to.
$(OUT)/obj/hijack/calls.h: hijack/calls.awk hijack/calls.tbl $(HEADERS)
	@echo "  GEN     $@"
	@mkdir -p $(@D)
	@awk -f hijack/calls.awk $(BUILD:%/$(FLAVOUR)=%)/linux/arch/x86/entry/syscalls/syscall_64.tbl \
		hijack/calls.tbl > $@.tmp
	@mv $@.tmp $@
$(OUT)/obj/hijack/core.o $(OUT)/obj/hijack/whose.o: ALL_CFLAGS += -I$(OUT)/obj/hijack
$(OUT)/obj/hijack/core.o $(OUT)/obj/hijack/whose.o: $(OUT)/obj/hijack/calls.h

# Names of the host's calls, for --trace.
$(OUT)/obj/hijack/run-names.h:
	@mkdir -p $(@D)
	@echo '#include <asm/unistd_64.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/[\2] = "\1",/p' > $@
$(OUT)/obj/hijack/run/call.o: ALL_CFLAGS += -I$(OUT)/obj/hijack
$(OUT)/obj/hijack/run/call.o: $(OUT)/obj/hijack/run-names.h

$(RUN) $(FIXED_RUN): $(RUN_OBJS) $(OBJS) $(KERNEL)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -o $@.debug $^ $(LDFLAGS) -Wl,-z,now -Wl,-z,pack-relative-relocs \
		-Wl,--wrap=lkl_syscall $(LIB_LIBS) -lZydis $(LIBS)
	$(split-debug)

$(RUN_GO): $(OUT)/tests/%: tests/hijack/%.go
	@echo "  GO      $@"
	@mkdir -p $(@D)
	@GOCACHE=$(OUT)/obj/go GOPATH=/usr/share/gocode GO111MODULE=off CGO_ENABLED=0 \
		go build -o $@ $<

$(RUN_CGO): $(OUT)/tests/%-cgo: tests/hijack/%.go
	@echo "  GO      $@"
	@mkdir -p $(@D)
	@GOCACHE=$(OUT)/obj/go GOPATH=/usr/share/gocode GO111MODULE=off CGO_ENABLED=1 \
		go build -o $@ $<

$(OUT)/bin/lkl-hijack.sh: hijack/lkl-hijack.sh
	@mkdir -p $(@D)
	@install $< $@

# gdb looks for them under these names.
$(LIB).so-gdb.py: scripts/lkl-gdb.py
	@mkdir -p $(@D)
	@cp $< $@

$(RUN)-gdb.py: scripts/lkl-run-gdb.py
	@mkdir -p $(@D)
	@cp $< $@

# What tests need to know of the kernel: the size of its pages.
$(OUT)/obj/tests/%.o: ALL_CFLAGS += -Itests/common -DKERNEL_PAGE='($(or $(PAGE),4) * 1024L)'
$(OUT)/obj/tools/%.o $(OUT)/obj/hijack/run/options.o: ALL_CFLAGS += -DLKL_VERSION='"$(VERSION)"'

.SECONDEXPANSION:
$(OUT)/bin/%: $(OUT)/obj/tools/%.o $$(call objects,tools/$$*/*.c) $$(WITH_$$*) $(COMMON) $(LIB).so
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -o $@ $(filter %.o,$^) $(LDFLAGS) $(RPATH) -L$(OUT)/lib -llkl \
		 $(TOOL_LIBS) $(LIBS_$*) $(LIBS)

define alias
$(OUT)/bin/$(firstword $(subst :, ,$(1))): $(OUT)/bin/$(lastword $(subst :, ,$(1)))
	@ln -sf $(lastword $(subst :, ,$(1))) $$@
endef
$(foreach a,$(ALIASES),$(eval $(call alias,$a)))

# program PROGRAM SOURCE PARTS LIBRARIES
define program
$(OUT)/$(1): $(OUT)/obj/$(2:.c=.o) $(if $(3),$(3:%=$(OUT)/obj/%.o),$(LIB).so)
	@echo "  LD      $$@"
	@mkdir -p $$(@D)
	@$$(CC) -o $$@ $$(filter %.o,$$^) $$(LDFLAGS) $$(RPATH) \
		$(if $(3),,-L$(OUT)/lib -llkl) $(4) $$(LIBS)
endef
$(foreach s,$(TEST_SRCS),$(foreach t,$(basename $(notdir $s)),\
	$(eval $(call program,tests/$t,$s,$(PARTS_$t),-lcmocka -lmnl $(LIBS_$t)))))
$(foreach b,$(BENCHES),$(eval $(call program,bench/$b,bench/$b.c)))

$(OUT)/tests/kernel.so: $(PRELOADED:%.c=$(OUT)/obj/%.o)
	@echo "  LD      $@"
	@mkdir -p $(@D)
	@$(CC) -shared -o $@ $< $(LDFLAGS) $(LIBS)

# Options are those that the commands' --help tells.
$(OUT)/man/%: docs/man/%.scd scripts/manopts.py $(TOOLS:%=$(OUT)/bin/%) $(RUN) | tools
	@echo "  MAN     $@"
	@mkdir -p $(@D)
	@python3 scripts/manopts.py $< $(OUT)/bin > $@.scd
	@scdoc < $@.scd > $@
	@rm $@.scd

$(PYTHON_DIR)/stamp: $(wildcard bindings/python/*.* bindings/python/lkl/*.*) $(LIB).so
	@echo "  PYTHON  $(PYTHON_DIR)"
	@rm -rf $(@D)
	@mkdir -p $(@D)/lkl
	@cp bindings/python/lkl/*.* $(@D)/lkl
	@$(PYTHON) bindings/python/lkl_build.py include $(BUILD)/include $(OUT)/lib $(@D)
	@touch $@

$(OUT)/man/%.3: docs/man/functions/%.c scripts/man3.py $(wildcard include/*.h)
	@echo "  MAN     $@"
	@mkdir -p $(@D)
	@python3 scripts/man3.py $< include/*.h > $@.scd
	@scdoc < $@.scd > $@
	@rm $@.scd

check demo:
	@python3 scripts/steps.py $@

# The library for Windows, under Wine.
check-windows: all
	+@$(MAKE) --no-print-directory HOST=windows BUILD=$(BUILD)/windows
	@tests/run windows

# What takes too long for every day.
nightly: all tests
	@LIMIT=7200 tests/run nightly

bench: all benches
	bench/run

# mount(8) looks for its helpers there.
HELPERS	:= $(if $(filter /usr /usr/local,$(PREFIX)),/sbin,$(PREFIX)/sbin)

# Debian's Python looks here for packages of the system, and of the user.
PYTHON_LIB = $(if $(filter /usr,$(PREFIX)),python3,$(shell $(PYTHON) -c \
	'import sys; print("python%d.%d" % sys.version_info[:2])'))

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include)
	cp -P $(OUT)/bin/* $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(LIB).a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(LIB).so $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	install -m 755 $(PRELOAD) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/liblkl.so
	install -m 644 $(NL).a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(NL).so $(DESTDIR)$(PREFIX)/lib/liblkl-nl.so.0
	ln -sf liblkl-nl.so.0 $(DESTDIR)$(PREFIX)/lib/liblkl-nl.so
	install -m 644 $(LIB).so.debug $(DESTDIR)$(PREFIX)/lib
	install -D -m 755 $(FIXED).so $(DESTDIR)$(PREFIX)/lib/lkl-fixed/$(SONAME)
	install -m 755 $(FIXED)-hijack.so $(FIXED_RUN) $(DESTDIR)$(PREFIX)/lib/lkl-fixed
	install -m 644 $(OUT)/lib/lkl-fixed/*.debug $(DESTDIR)$(PREFIX)/lib/lkl-fixed
	install -m 644 scripts/lkl-gdb.py $(DESTDIR)$(PREFIX)/lib/$(SONAME)-gdb.py
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/lkl packaging/valgrind.supp \
		packaging/60-lklfuse.rules
	install -d $(DESTDIR)$(HELPERS)
	ln -sf $(PREFIX)/bin/lklfuse $(DESTDIR)$(HELPERS)/mount.fuse.lklfuse
	install -m 755 packaging/lklfuse-session $(DESTDIR)$(PREFIX)/share/lkl
	cp -r examples $(DESTDIR)$(PREFIX)/share/lkl
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' packaging/lklfuse-mount@.service.in \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/lklfuse-mount@.service
	for pc in lkl lkl-nl; do \
		sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIB_LIBS) $(LIBS)|' \
			packaging/$$pc.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/$$pc.pc || exit; \
	done
	install -m 644 include/*.h $(DESTDIR)$(PREFIX)/include
	cp -r $(BUILD)/include/lkl $(DESTDIR)$(PREFIX)/include
	install -D -m 644 packaging/completions/lkl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/lkl
	install -D -m 644 packaging/completions/_lkl \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_lkl
	install -D -m 644 packaging/completions/lkl.fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/lkl.fish
	for tool in cptofs cpfromfs fs2tar tar2fs lklfuse lkl-run lkl-hijack.sh; do \
		ln -sf lkl $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$tool; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/$(PYTHON_LIB)/dist-packages
	cp -r $(PYTHON_DIR)/lkl* $(DESTDIR)$(PREFIX)/lib/$(PYTHON_LIB)/dist-packages
	for page in $(notdir $(MAN)); do \
		install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} \
			$(OUT)/man/$$page || exit; \
	done
	for page in $(patsubst docs/man/functions/%.c,%,$(wildcard docs/man/functions/*.c)); do \
		for name in $$(python3 scripts/man3.py --names docs/man/functions/$$page.c); do \
			[ $$name = $$page ] || echo ".so man3/$$page.3" \
				> $(DESTDIR)$(PREFIX)/share/man/man3/$$name.3 || exit; \
		done; \
	done

# Debian packages, in build/deb; needs no rights.
deb: all
	@packaging/deb.sh $(CURDIR) $(BUILD) $(VERSION) $(BUILD)/deb

# And sources of what is compiled for Windows.
deps:
	@scripts/deps.sh $(DEBS)
	+@$(MAKE) --no-print-directory HOST=windows BUILD=$(BUILD)/windows sources

clean:
	rm -rf $(BUILD)

FORCE:
.PHONY: all lib tools hijack tests benches man python check check-windows demo nightly bench install deb deps clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJS:.o=.d) $(COMMON:.o=.d) $(PRELOAD_OBJS:.o=.d) $(RUN_OBJS:.o=.d) $(NL_OBJS:.o=.d) $(patsubst %,$(OUT)/obj/tools/%.d,$(TOOLS)) \
	 $(patsubst %.c,$(OUT)/obj/%.d,$(wildcard tools/*/*.c)) \
	 $(TEST_SRCS:%.c=$(OUT)/obj/%.d) $(PRELOADED:%.c=$(OUT)/obj/%.d) \
	 $(patsubst %,$(OUT)/obj/bench/%.d,$(BENCHES))

endif
