/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of check.c: sites of the pvops layer.
 *
 * A record is { s32 rel; u16 op; u8 len; u8 kind; }, and the low nibble of kind
 * is 0 for a call, 1 for a jump and 2 for a branch site.
 *
 * A branch site is an unconditional jump as compiled and a NOP when patched, so
 * both ways are taken.  A call site as compiled is an indirect call; with
 * retpolines it is a direct call of a retpoline.  Patching replaces the call by
 * an instruction, or by a call of a function.  The contract of the operation
 * says that this function may be called there.
 */
#ifndef _PVOPS_SITES_H
#define _PVOPS_SITES_H

/* Until 6.4 the relocations of a section are a list. */
#ifndef for_each_reloc
#define for_each_reloc(sec, reloc) \
	list_for_each_entry(reloc, &(sec)->reloc_list, list)
#define reloc_offset(reloc)	((unsigned long)(reloc)->offset)
#define reloc_addend(reloc)	((reloc)->addend)
#endif

static bool is_pvops_site(const struct instruction *insn,
			  enum insn_type retpoline, enum insn_type bare)
{
	return insn && (insn->type == retpoline ||
			(insn->type == bare && !opts.retpoline));
}

/* False: it is no site. */
static bool add_pvops_site(struct instruction *insn, unsigned char kind)
{
	switch (kind & 0xf) {
	case 0:
		if (!is_pvops_site(insn, INSN_CALL, INSN_CALL_DYNAMIC))
			return false;
		insn->type = INSN_OTHER;
		remove_insn_ops(insn);
		return true;
	case 1:
		if (!is_pvops_site(insn, INSN_JUMP_UNCONDITIONAL,
				   INSN_JUMP_DYNAMIC))
			return false;
		insn->type = INSN_JUMP_DYNAMIC;
		insn->retpoline_safe = true;
		return true;
	case 2:
		if (!insn || insn->type != INSN_JUMP_UNCONDITIONAL)
			return false;
		insn->type = INSN_JUMP_CONDITIONAL;
		return true;
	default:
		return false;
	}
}

static int add_pvops_sites(struct objtool_file *file)
{
	struct section *sec = find_section_by_name(file->elf, ".rela.pv_sites");
	const unsigned char *records;
	struct instruction *insn;
	struct reloc *reloc;

	if (!sec)
		return 0;
	records = sec->base->data->d_buf;
	for_each_reloc(sec, reloc) {
		insn = find_insn(file, reloc->sym->sec,
				 reloc->sym->offset + reloc_addend(reloc));
		if (!add_pvops_site(insn, records[reloc_offset(reloc) + 7])) {
			WARN("bad .pv_sites entry at 0x%lx",
			     (unsigned long)reloc_offset(reloc));
			return -1;
		}
	}
	return 0;
}

#endif /* _PVOPS_SITES_H */
