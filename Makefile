# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# `make help` lists targets and variables.  V=1 shows the commands.

B := build
PROVE ?= prove
Q := $(if $(filter 1,$(V)),,@)
XEN := $(B)/xen/xen
HOST_KERNEL := $(B)/kernel/vmlinuz
TOOLSTACK := $(B)/toolstack/bin/xl

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
# Makes that the tools call have makefiles of other projects, which use built-in variables.
unexport MAKEFLAGS
CC := gcc

# Packages first, before any rule needs one.  The two commands and `make deps` install missing
# packages; all other targets only name them, and the command.
installs := demo check deps
checks := $(filter-out help clean distclean $(installs),$(MAKECMDGOALS))
# For named files, such as build/guest.elf, packages are not checked.
checks := $(strip $(foreach t,$(checks),$(if $(findstring /,$(t)),,$(t))))
# These targets, and GUEST=linux, need the packages for Linux.
for_linux := $(if $(filter linux,$(GUEST))$(filter linux series series-check carry carry-save,$(MAKECMDGOALS)),linux)
packages := $(if $(filter $(installs),$(MAKECMDGOALS)),tools/setup.sh $(for_linux),$(if $(checks),tools/setup.sh --check $(for_linux)))
ifneq ($(packages),)
# make -n does not check.
ifeq ($(findstring n,$(filter-out -%,$(firstword $(MAKEFLAGS)))),)
$(shell $(packages))
ifneq ($(.SHELLSTATUS),0)
$(error packages are missing)
endif
endif
endif

-include tests/guest/build.mk tests/unit/build.mk tests/fuzz/build.mk
-include tests/vmi/rom/build.mk tests/vmi/monitor/build.mk
-include tools/optables/build.mk
# A target whose part is missing must fail: it would do nothing, with success.
needs = $(if $(filter $(2),$(MAKECMDGOALS)),$(if $(wildcard $(1)),,$(error $(1) is missing)))
$(call needs,tests/guest/build.mk,guest vm faults demo demo-page bench check)
$(call needs,tests/unit/build.mk,unit check)
$(call needs,tests/fuzz/build.mk,fuzz fuzz-long check)

images := $(B)/guest.elf $(B)/clang/guest.elf $(B)/fault/guest.elf $(B)/preempt/guest.elf $(B)/retpoline/guest.elf
# Files that the environments need beside the image (tests/vm/envs.toml).
parts := $(XEN) $(B)/vmi/rom.bin $(B)/vmi/monitor.elf $(HOST_KERNEL) $(B)/kvm/host.cpio \
	$(B)/xen/host.cpio
# Files for HVM guests, which only tests boot.
hvm_parts := $(B)/xen/hvm-host.cpio $(B)/guest.multiboot

.PHONY: help deps demo demo-mini demo-page demo-linux bench bench-mini bench-linux \
	check check-mini check-linux docs docs-check guest sparse sparse-mini sparse-linux unit fuzz fuzz-long vm faults faults-mini faults-linux audit audit-check audit-table linux \
	select port-check check-long series series-check carry carry-save analyze coccicheck coccicheck-mini coccicheck-linux clean distclean

# A target's line: "target: ... ## group: text"; variables are lines "#: NAME	text".
help: ## start: print this list
	@awk -f tools/help.awk $(MAKEFILE_LIST)

deps: ## start: install missing Debian packages (GUEST=linux: also those for Linux)
	@echo "deps: all there"

#: GUEST=linux	demo bench check faults sparse coccicheck deps: Linux, not the mini guest
#: ROWS="a b"	vm, check: run only these tests of tests/vm or tests/linux (tools/rows.py)
#: STOCK_CONFIGS=no	check GUEST=linux: do not compare configurations with their stock kernels
#: CONFIG=name	linux: one of: same hard clang debian cloud fault mm debug kasan up preempt
#: SELECT="e/b"	select: run only this environment/backend, such as vmi-smp2/vmi
#: IMAGE=file	audit: the kernel to audit, vmlinux or bzImage (the mini guest)
#: AUDIT="..."	audit: options of the audit, such as --allow FILE or --json
#: FAULT_SECONDS=n	faults: seconds of load in each environment (60)
#: SEED=n	faults: seed of the random places of faults (7; Linux: 1)
#: FUZZ_RUNS=n	fuzz, fuzz-long: runs of each target (200000, 10000000); -1: no limit
#: FUZZ_SECONDS=n	fuzz: at most n seconds for each target (10)
#: HOST_KERNEL=file	kernel of KVM hosts and dom0s (Debian's, build/kernel/vmlinuz)
#: KERNEL=6.12	linux, GUEST=linux: the release (the running Debian's own)
#: FROM=7.2	carry: the release whose series is carried (that of TREE, or the newest)
#: BUILD=no	carry: only merge and report; build and boot nothing
#: RELEASE=6.12.117	carry-save: the release that it was carried to
#: TREE=dir	linux, GUEST=linux: a source of Linux instead of Debian's; it is not changed
#: PORT=dir	port-check: folder of the port, such as ports/template
#: JOBS=n	parallel jobs when Linux is built (all CPUs)
#: PROVE="..."	program that runs the tests (prove)
#: V=1	show commands

# The folder of the Linux that KERNEL and TREE name.
linux = $(shell KERNEL="$(KERNEL)" TREE="$(TREE)" tools/release.sh folder)

# The release with a series that `make carry` begins with: that of TREE, or else the newest.
newest = $(lastword $(shell ls -d patches/linux-*/series | sed 's|.*linux-\(.*\)/.*|\1|' | sort -V))
FROM ?= $(or $(if $(TREE),$(shell KERNEL= TREE="$(TREE)" tools/release.sh 2>/dev/null)),$(newest))

# The guest: the mini guest, or Linux.
GUEST ?= mini
ifeq ($(filter $(GUEST),mini linux),)
$(error GUEST=$(GUEST): no such guest; there are: mini linux)
endif

demo: demo-$(GUEST) ## start: boot in every environment; print backend, patched sites and cost of each op

demo-mini: $(B)/guest.elf $(parts)
	@tools/report.py demo

demo-page: $(B)/guest.elf $(parts) ## build: docs/demo.md, from the output of make demo
	$(Q)tools/demopage.py docs/demo.md

# The stock kernel is prepared too, if it is built.
demo-linux: $(parts) $(B)/xen/hvm-host.cpio
	$(Q)for kernel in ours $(if $(wildcard $(linux)/stock/arch/x86/boot/bzImage),stock); do \
		tools/linux.sh build $$kernel && tools/linux-guest.sh $$kernel || exit; done
	@tools/linux_matrix.py demo

bench: bench-$(GUEST) ## measure: the full measurement: build/report/bench.{json,md,svg}, linux-6.1.json

bench-mini: $(B)/guest.elf $(parts)
	@tools/report.py bench

# Three kernels: ours, and two for comparison (tools/linux.sh).
bench-linux: $(B)/linux-bench/initrd $(XEN)
	$(Q)for kernel in unhooked stock ours; do tools/linux.sh build $$kernel || exit; done
	@tools/linux_bench.py

$(B)/linux-bench/init: tests/linux/workloads.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

# Dates and inodes are constant: the archive depends on the program only.
$(B)/linux-bench/initrd: $(B)/linux-bench/init
	@echo "  CPIO    $@"
	@mkdir -p $(@D)/root
	$(Q)cp $< $(@D)/root/init
	$(Q)touch -d @0 $(@D)/root/init
	$(Q)cd $(@D)/root && echo init | cpio -o -H newc -R 0:0 --reproducible --quiet >../$(@F)

check: check-$(GUEST) ## start: the test suite; 15 minutes
	@echo "check: good"

check-mini: docs-check sparse-mini coccicheck-mini analyze guest unit fuzz audit-check vm

# The configurations that rows boot: row:configuration.
row_configs := faults:fault retpoline:hard mm:mm pti:mm kexec:mm locks:mm rom:mm rom:up debug:debug kasan:kasan \
	up:up preempt:preempt cloud:cloud debian:debian
linux_rows = $(basename $(notdir $(shell tools/rows.py list tests/linux $(ROWS) 2>/dev/null)))

# $(call prove-rows,FOLDER): the folder's tests, or those of ROWS.
prove-rows = rows=$$(tools/rows.py list $(1) $(ROWS)) && $(PROVE) -j2 -e tools/rows.py $$rows

# Two kernels: ours, and the one whose selftests it must pass.  A wrong name in ROWS fails
# before they are built.
check-linux: $(parts) $(B)/audit/audit $(if $(filter xenhvm platform,$(or $(ROWS),xenhvm)),$(B)/xen/hvm-host.cpio)
	$(Q)tools/rows.py list tests/linux $(ROWS) >/dev/null
	$(Q)for kernel in ours stock; do \
		tools/linux.sh build $$kernel && tools/linux-guest.sh $$kernel || exit; done
	$(Q)for config in $(sort $(foreach row,$(linux_rows),$(patsubst $(row):%,%,$(filter $(row):%,$(row_configs))))); do \
		tools/linux.sh config $$config || exit; done
	$(Q)tools/audit/audit.sh linux
	$(Q)$(call prove-rows,tests/linux)

# Other configurations, and rows that need an idle machine.
LONG := cloud debug kasan up preempt retpoline many-cpus locks kexec platform faults
check-long: $(XEN) $(B)/vmi/rom.bin $(B)/vmi/monitor.elf ## test: Linux in more configurations, Debian's for clouds among them; hours
	$(Q)$(MAKE) check GUEST=linux ROWS="$(LONG)"
	$(Q)tools/linux.sh config clang

faults-linux: $(parts)
	$(Q)tools/linux.sh config fault
	$(Q)FAULT_SECONDS=$${FAULT_SECONDS:-60} $(PROVE) -v tests/linux/faults.t

# In a check the quick targets come first, also with -j.
ifneq ($(filter check,$(MAKECMDGOALS)),)
vm: | docs-check sparse-mini coccicheck-mini analyze unit fuzz
endif

guest: $(images) ## build: the mini guest, by gcc and by clang

unit: ## test: host tests of the core and of the tools

# The needed functions are read from the objects.  Example: make port-check PORT=ports/template
port-check: ## test: list what a port lacks, for each backend; PORT=dir
	$(if $(PORT),,$(error port-check: which port?  make port-check PORT=ports/template))
	$(Q)tools/portcheck.py $(PORT)

fuzz: ## test: fuzz every parser of untrusted input, for some seconds each

fuzz-long: ## test: fuzz with 10 million runs each: build/report/fuzz.{json,md}

vm: $(images) $(parts) $(hvm_parts) vmi-roms $(B)/clang/vmi/monitor.elf ## test: the mini guest in every environment
	$(Q)$(call prove-rows,tests/vm)

# Every op of every backend; the rows of tests/vm do the same for whole tables.  Takes hours.
# SELECT="vmi/vmi xenpv/xen": only these pairs of environment and backend.
SELECT ?= xenpv-smp2/xen vmi-smp2/vmi vmimon-smp2/vmi kvm-smp2/kvm hyperv-smp2/hyperv \
	xenpvh-smp2/xenhvm vmware/vmware
select: $(images) $(parts) ## test: the contract suite with each single op left to native; hours
	$(Q)for row in $(SELECT); do \
		$(PROVE) tests/vm/long/every-op.t :: $${row%/*} $${row#*/} || failed=1; \
	done; test -z "$$failed"

# Any kernel: make audit IMAGE=vmlinux AUDIT="--allow FILE --json"
audit: $(B)/audit/audit $(if $(IMAGE),,$(images)) ## measure: list sensitive instructions of a kernel that no site covers
	$(Q)tools/audit/audit.sh $(IMAGE) $(AUDIT)

audit-check: audit $(B)/vmi/monitor.elf
	$(Q)$(PROVE) tests/audit

audit-table: $(B)/audit/audit $(images) $(HOST_KERNEL) ## measure: count these instructions, kernels side by side
	$(Q)tools/audit/audit.sh table

$(B)/audit/audit: $(wildcard tools/audit/*.c) tools/audit/audit.h
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) -O2 -Wall -Wextra -Werror -o $@ $(filter %.c,$^) -lelf -lZydis

# A longer run with faults at other places: FAULT_SECONDS=600 SEED=7 make faults
faults: faults-$(GUEST) ## test: inject failures of hypercalls under load, a minute in each environment

faults-mini: $(images) $(XEN) $(B)/vmi/monitor.elf
	$(Q)FAULT_SECONDS=$${FAULT_SECONDS:-60} $(PROVE) -v tests/vm/faults.t

# Configurations hard and clang are booted, also on Xen and VMI.
linux: $(if $(filter hard clang,$(CONFIG)),$(XEN) $(B)/vmi/rom.bin $(B)/vmi/monitor.elf) ## build: Linux on the layer (patches/README.md)
	$(Q)$(if $(CONFIG),tools/linux.sh config $(CONFIG),tools/linux.sh)

series: ## build: patches for a release of Linux, for git am, and a cover letter: build/series
	$(Q)tools/linux.sh series

# The pristine source of FROM is what its series applies to.
carry: ## build: carry the series of release FROM to another Linux, TREE; build, boot, report
	$(if $(TREE),,$(error carry: to which source?  make carry TREE=/path/to/linux))
	$(if $(filter-out no,$(BUILD)),$(error carry: BUILD=$(BUILD): there is only BUILD=no))
	$(Q)KERNEL="$(FROM)" TREE= tools/linux.sh unpack
	$(Q)tools/carry.py --from $(FROM) --source $(B)/linux-$(FROM)/pristine $(if $(BUILD),--no-build) $(TREE)

carry-save: ## build: write patches/linux-RELEASE from what was carried; RELEASE=6.12.117
	$(if $(RELEASE),,$(error carry-save: which release?  build/carry has: $(notdir $(patsubst %/,%,$(wildcard $(B)/carry/*/)))))
	$(Q)tools/carry.py --save $(B)/carry/$(RELEASE)

series-check: ## test: git am, quilt, checkpatch, and every step of the series compiles
	$(Q)tools/linux.sh series-check

analyze: ## test: gcc -fanalyzer, clang-tidy and cppcheck, zero findings
	@echo "  ANALYZE pvops backends tests/guest"
	$(Q)tools/analyze.py
	$(Q)$(PROVE) tests/static/analyze.t

coccicheck: coccicheck-$(GUEST) ## test: Coccinelle: rules on our own code; GUEST=linux: the conversion

coccicheck-mini:
	@echo "  SPATCH  tools/cocci"
	$(Q)tools/coccicheck.py
	$(Q)$(PROVE) tests/static/coccicheck.t

coccicheck-linux:
	$(Q)$(PROVE) tests/cocci
	$(Q)tools/linux.sh prepare
	@echo "  CHECK   no use of pv_ops is left"
	$(Q)tools/pv_ops_left.py $(linux)/ours

docs: $(B)/optables/optables ## build: docs/ops.md from the catalogue and the backends, version.h from VERSION
	@mkdir -p docs
	$(Q)tools/version.sh
	@echo "  DOC     docs/ops.md"
	$(Q)tools/opdoc.py --program $< docs/ops.md

docs-check: $(B)/optables/optables ## test: pages and version.h are current
	@echo "  DOC     pages and version.h are current"
	$(Q)tools/version.sh --check
	$(Q)tools/opdoc.py --program $< --check docs/ops.md
	$(Q)tools/pagecheck.py

$(XEN): tools/fetch.sh
	@echo "  FETCH   $@"
	$(Q)tools/fetch.sh xen $@

$(HOST_KERNEL): tools/fetch.sh
	@echo "  FETCH   $@"
	$(Q)tools/fetch.sh kernel $(@D)

# A host that runs the guest on its KVM.
$(B)/kvm/host.cpio: tools/kvm-host.sh tools/host-image.sh tests/vm/kvm-init $(HOST_KERNEL)
	@echo "  CPIO    $@"
	$(Q)tools/kvm-host.sh $(dir $(HOST_KERNEL)) $@

$(TOOLSTACK): tools/fetch.sh
	@echo "  FETCH   $(B)/toolstack"
	$(Q)tools/fetch.sh toolstack $(B)/toolstack

# A dom0 that starts the guest as a domU.
$(B)/xen/host.cpio: tools/xen-host.sh tools/host-image.sh tests/vm/dom0-init $(HOST_KERNEL) $(TOOLSTACK)
	@echo "  CPIO    $@"
	$(Q)tools/xen-host.sh $(dir $(HOST_KERNEL)) $(B)/toolstack $@

# The dom0 of HVM guests has QEMU and firmware.
$(B)/xen/hvm-host.cpio: tools/xen-host.sh tools/host-image.sh tools/fetch.sh tests/vm/dom0-init $(HOST_KERNEL)
	@echo "  CPIO    $@"
	$(Q)tools/fetch.sh toolstack-hvm $(B)/toolstack-hvm
	$(Q)tools/xen-host.sh $(dir $(HOST_KERNEL)) $(B)/toolstack-hvm $@

# sparse: any output is a failure.
sparse_src := $(wildcard pvops/*.c backends/*/*.c tests/guest/*.c tests/guest/*/*.c)
sparse_headers := $(wildcard include/pvops/*.h include/pvops/ops/*.h pvops/*.h backends/*/*.h \
			tests/*.h tests/guest/*.h tests/guest/include/*.h)
sparse_flags := -std=gnu11 -ffreestanding -mcmodel=kernel \
		-Iinclude -Itests/guest/include
# Recursive, because make would run := on every start.
gcc_folder = $(shell gcc -print-file-name=)

sparse: sparse-$(GUEST) ## test: address types, zero warnings; GUEST=linux: no new warning

sparse-mini: $(sparse_src:%=$(B)/sparse/%)

sparse-linux:
	$(Q)tools/linux.sh build && tools/linux.sh build stock
	$(Q)$(PROVE) tests/linux/sparse.t

$(B)/sparse/%: % $(sparse_headers)
	@mkdir -p $(@D)
	@echo "  SPARSE  $<"
	$(Q)sparse -gcc-base-dir $(gcc_folder) $(sparse_flags) $< >$@.out 2>&1; \
		if [ $$? -ne 0 ] || [ -s $@.out ]; then cat $@.out >&2; exit 1; fi; mv $@.out $@

# Nothing is compiled: make -n prints the commands.
compile_commands.json: FORCE ## build: for editors and clangd
	$(Q)$(MAKE) -s -Bn $(B)/guest.elf unit-build | tools/compile_commands.py >$@

.PHONY: FORCE
FORCE:

clean: ## build: remove built files, keep fetched packages
	rm -rf $(filter-out $(B)/xen $(B)/kernel $(B)/toolstack $(B)/linux-fetch,$(wildcard $(B)/*))

distclean: ## build: remove build/
	rm -rf $(B)
