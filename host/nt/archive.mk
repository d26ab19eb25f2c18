# SPDX-License-Identifier: GPL-2.0-only
#
# libarchive for Windows, and the libraries of compression that it asks for, from Debian's
# sources: Debian itself has of them zlib only.  All objects go into one library, $(ARCHIVE).
# A makefile of its own, as it can look for the sources' files only when they are there.
#
# Of libarchive, what reads and writes tar is compiled.  It does not know that the host is
# Windows, where it would want names in a code page: see tools/nt/archive/config.h.

include host/nt/tools.mk

OBJ	:= $(BUILD)/obj/source
FLAGS	:= -std=gnu11 -O2 -w -MD -MP -DNDEBUG -DLIBARCHIVE_STATIC -DLZMA_API_STATIC

# sources DIRECTORY NAMES
sources	= $(patsubst %,$(1)/%.c,$(2))
ARCHIVE_SRCS := $(call sources,libarchive/libarchive,$(patsubst %,archive_%,acl check_magic \
	entry entry_sparse entry_stat entry_xattr options read read_set_options \
	read_support_format_empty read_support_format_raw read_support_format_tar string \
	string_sprintf util virtual write write_open_fd write_set_format_pax \
	write_set_format_ustar write_set_options) xxhash)
# Filters that run another program have no use for it here: tools/nt/archive/left.c.
FILTER_SRCS := $(filter-out %_program.c,$(patsubst $(SOURCE)/%,%,$(wildcard $(addprefix \
	$(SOURCE)/libarchive/libarchive/archive_,read_support_filter_*.c write_add_filter*.c))))
OTHER_SRCS := $(call sources,bzip2,blocksort huffman crctable randtable compress decompress \
	bzlib) $(call sources,lz4/lib,lz4 lz4hc) \
	$(patsubst $(SOURCE)/%,%,$(wildcard $(addprefix $(SOURCE)/libzstd/lib/,common/*.c \
	compress/*.c decompress/*.c)))
LZMA_SRCS := $(filter-out %_small.c %_tablegen.c %_mt.c %/outqueue.c %/hardware_%, \
	$(patsubst $(SOURCE)/%,%,$(wildcard $(addprefix $(SOURCE)/xz-utils/src/liblzma/, \
	check/*.c common/*.c delta/*.c lz/*.c lzma/*.c rangecoder/*.c simple/*.c))))
OBJS	:= $(patsubst %.c,$(OBJ)/%.o,$(ARCHIVE_SRCS) $(FILTER_SRCS) $(OTHER_SRCS) $(LZMA_SRCS))

$(ARCHIVE): $(OBJS)
	@echo "  AR      $@"
	@rm -f $@
	@$(CROSS)ar rcsD $@ $^

$(OBJ)/libarchive/%: FLAGS += $(NT_CFLAGS) -Iinclude -I$(BUILD)/include \
	-DPLATFORM_CONFIG_H='"$(CURDIR)/tools/nt/archive/config.h"' \
	$(addprefix -I$(SOURCE)/,bzip2 lz4/lib libzstd/lib xz-utils/src/liblzma/api)
$(OBJ)/libzstd/%: FLAGS += -DZSTD_DISABLE_ASM
$(OBJ)/xz-utils/%: FLAGS += -include $(CURDIR)/tools/nt/archive/lzma.h -I$(SOURCE)/xz-utils/src/common \
	$(addprefix -I$(SOURCE)/xz-utils/src/liblzma/,api check common delta lz lzma rangecoder simple)

$(OBJS): host/nt/archive.mk $(wildcard tools/nt/archive/*.h)
$(OBJ)/%.o: $(SOURCE)/%.c
	@echo "  CC      $*.c"
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<

.DELETE_ON_ERROR:

-include $(OBJS:.o=.d)
