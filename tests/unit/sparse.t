#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# test-host-sparse: the address types of the contract are distinct to sparse.
# Each planted mix-up must be found, the same code without it must be clean.
cd "$(dirname "$0")/../.." || exit 2

count=0
failed=0
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT

result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$folder/out"
		failed=1
	fi
}

# Print what sparse reports; its exit status is no help.
look() {
	sparse -std=gnu11 -Wbitwise -Wno-declaration-after-statement \
		-gcc-base-dir "$(gcc -print-file-name=)" \
		-Iinclude -Itests/unit/include -Ipvops "$1" >"$folder/out" 2>&1
	cat "$folder/out"
}

# The body of a function between two uses of the contract.
plant() {
	cat >"$folder/planted.c" <<-END
	#include <pvops/call.h>
	#include <pvops/port.h>
	void planted(pv_pfn_t pfn, pv_mfn_t mfn, pv_maddr_t maddr, pv_pte_t pte, pv_pmd_t *pmdp,
		     pv_flags_t flags);
	void planted(pv_pfn_t pfn, pv_mfn_t mfn, pv_maddr_t maddr, pv_pte_t pte, pv_pmd_t *pmdp,
		     pv_flags_t flags)
	{
		(void)pfn; (void)mfn; (void)maddr; (void)pte; (void)pmdp; (void)flags;
		$1
	}
	END
	look "$folder/planted.c"
}

clean() {
	[ -z "$(plant "$1")" ]
	result $? "clean: $2"
}

caught() {
	plant "$1" | grep -q 'planted\.c.*\(warning\|error\)'
	result $? "caught: $2"
}

command -v sparse >/dev/null || { echo "1..0 # SKIP no sparse"; exit 0; }

clean '' 'nothing planted'
clean 'pv_set_pmd(pmdp, pv_make_pmd(pv_pfn_nr(pfn) << PV_PAGE_SHIFT));' 'right use of every type'
clean 'maddr = pv_mfn_to_maddr(mfn); pv_set_fixmap(0, maddr, 0);' 'right use of a machine address'
caught 'pfn = mfn;' 'MFN stored as PFN'
caught 'mfn = pfn;' 'PFN stored as MFN'
caught 'pv_release_pte(mfn);' 'MFN handed to an op that takes a PFN'
caught 'maddr = pv_mfn_to_maddr(pfn);' 'PFN turned into a machine address'
caught 'pv_set_fixmap(0, mfn, 0);' 'MFN handed over as an address'
caught 'pv_set_fixmap(0, pfn << 12, 0);' 'PFN shifted without a conversion'
caught 'pv_set_pmd(pmdp, pte);' 'level-1 entry stored at level 2'
caught 'pte = pv_pfn_nr(pfn) << 12;' 'entry made from a plain number'
caught 'if (pte & PV_PTE_PRESENT) pv_clts();' 'entry read without pte_val'
caught 'if (flags & 0x200) pv_clts();' 'saved flags looked into'
caught 'pv_restore_fl(0x200);' 'flags made up'

for file in pvops/*.c; do
	[ -z "$(look "$file")" ]
	result $? "clean: $file"
done

echo "1..$count"
exit $failed
