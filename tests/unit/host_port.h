/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What tests see of the host port: the log, panics, and text windows. */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include <setjmp.h>

#include <pvops/port.h>

/**
 * struct host_port - knobs and counters of the port
 * @text_begins: calls of pv_port_text_begin()
 * @text_ends: calls of pv_port_text_end()
 * @text_start: range of the last one
 * @text_end: range of the last one
 * @text_open: between the two
 * @alias: writable alias to hand out; 0: text itself is made writable
 * @refuse_text: answer PV_TEXT_REFUSED
 * @log_without_ops: a line came where pv_backend() names one, and an op is NULL
 * @panic_expected: a panic goes to @panic_to; else it ends the program
 * @panic_to: for setjmp()
 * @panic_why: what the last panic said
 */
struct host_port {
	u32 text_begins;
	u32 text_ends;
	unsigned long text_start;
	unsigned long text_end;
	bool text_open;
	long alias;
	bool refuse_text;
	bool log_without_ops;
	bool panic_expected;
	jmp_buf panic_to;
	const char *panic_why;
};

extern struct host_port host_port;

/* A bare machine: no leaf says anything. */
void host_cpuid(struct pv_cpuid *regs);

/* Everything as at program start, but for @alias. */
void host_port_reset(void);

/* The log so far: whole, number of lines, the line that contains a text. */
const char *host_log(void);
u32 host_log_lines(void);
const char *host_log_find(const char *text);
void host_log_clear(void);

#endif
