# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The mini guest: core, every backend, and the kernel, as one ELF for all
# environments.  Adding a backend is adding its folder here.

BACKENDS := native xen vmi kvm hyperv vmware

GUEST_SRC := $(wildcard pvops/*.c) \
	     $(foreach b,$(BACKENDS),$(wildcard backends/$(b)/*.c backends/$(b)/*.S)) \
	     $(wildcard tests/guest/*.c tests/guest/*.S tests/guest/contract/*.c)
GUEST_INC := -Iinclude -Itests/guest/include
# $(call same-bytes,COMPILER): flags for an image that is the same from any folder.  Debugging
# information names files from the top on; clang's assembler needs an option of its own.
same-bytes = -ffile-prefix-map=$(CURDIR)=. $(if $(filter clang,$(1)),-fdebug-compilation-dir=.)
GUEST_FLAGS := -std=gnu11 -ffreestanding -O2 -g1 -Wall -Wextra -Werror -mcmodel=kernel \
	       -mno-red-zone -mno-sse -mno-mmx -mno-80387 -fno-stack-protector -fno-pic \
	       -fno-pie -fcf-protection=none -fno-asynchronous-unwind-tables \
	       -fno-strict-aliasing -fno-common
# The user processes run at another address than the one they are linked for.
USER_FLAGS := $(filter-out -mcmodel=kernel -fno-pic -fno-pie,$(GUEST_FLAGS)) \
	      -mcmodel=small -fpie -fvisibility=hidden -fno-jump-tables

# guest-rules DIR COMPILER [FLAGS]: objects and image below DIR.
define guest-rules
$(1)/guest.elf: $(patsubst %,$(1)/guest/%.o,$(GUEST_SRC)) tests/guest/guest.lds
	@echo "  LD      $$@"
	@$(2) -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-Wl,-T,tests/guest/guest.lds -o $$@ $$(filter %.o,$$^)
	@nm -u $$@ | sed 's/^/undefined: /' >&2; test -z "$$$$(nm -u $$@)"

$(1)/guest/tests/guest/user.c.o: tests/guest/user.c tests/guest/build.mk
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$(2) $(USER_FLAGS) $(call same-bytes,$(2)) $(3) $(GUEST_INC) -MMD -MP -c -o $$@ $$<

$(1)/guest/%.c.o: %.c tests/guest/build.mk
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$(2) $(GUEST_FLAGS) $(call same-bytes,$(2)) $(3) $(GUEST_INC) -MMD -MP -c -o $$@ $$<

$(1)/guest/%.S.o: %.S tests/guest/build.mk
	@mkdir -p $$(@D)
	@echo "  AS      $$<"
	@$(2) $(GUEST_FLAGS) $(call same-bytes,$(2)) $(3) -D__ASSEMBLY__ $(GUEST_INC) -MMD -MP -c -o $$@ $$<

-include $(patsubst %,$(1)/guest/%.d,$(GUEST_SRC))
endef

$(eval $(call guest-rules,$(B),gcc))
$(eval $(call guest-rules,$(B)/clang,clang))
# Its hypercalls can be made to fail (include/pvops/inject.h).
$(eval $(call guest-rules,$(B)/fault,gcc,-DPV_PORT_INJECT))

# Its kernel is preemptible (tests/guest/preempt.c).
$(eval $(call guest-rules,$(B)/preempt,gcc,-DPV_PORT_INJECT -DPV_PORT_PREEMPTION))

# No indirect branch is executed bare.
$(eval $(call guest-rules,$(B)/retpoline,gcc,-DPV_PORT_RETPOLINE -mindirect-branch=thunk-extern \
	-mindirect-branch-register -fno-jump-tables))

# For loaders that cannot read 64-bit ELF files.
$(B)/guest.multiboot: $(B)/guest.elf tools/multiboot.py tools/elf.py
	@echo "  MBOOT   $@"
	@tools/multiboot.py $< $@
