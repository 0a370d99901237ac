// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces under load, against a shadow copy.  The shadow has the contents and the
 * permissions of each page, and the program compares them with the real ones.
 *
 *	shadow SECONDS [SEED]	load on all CPUs; exit 1 on a mismatch or when it hangs
 *	shadow plant KIND FILE SEED
 *				loses one page-table update (FILE is
 *				/sys/kernel/debug/pvops/fault) while it does KIND:
 *				protect, move or cow; exit 1 if it finds the loss
 *
 * One process per CPU changes its arena at random: writes, mprotect, munmap, mmap of
 * memory and of a file, madvise, mremap, fork (then both sides write and check), exec.
 * Meanwhile its threads, one on each CPU, touch pages at random.  A page that is
 * read-only by the shadow must not be writable on another CPU: a lost update or a stale
 * TLB entry would make it so.
 *
 * Contents are compared by instructions and by process_vm_readv(); permissions by
 * accesses, by execution and by /proc/self/maps; /proc/self/pagemap shows whether two
 * pages share a frame.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE		4096UL
#define WORDS		(PAGE / 8)
/* On both sides of a border between two page tables. */
#define PAGES		192U
#define TABLE		(512 * PAGE)
#define STRIDE		64U	/* words that differ between pages */
#define RET		0xc3ULL	/* the last word, so that it can be called */
#define MAX_CPUS	64
#define HANG_SECONDS	60

enum kind {
	WRITE, PROTECT, UNMAP, MAP, MAP_FILE_PAGES, DROP, MOVE, FORK, EXEC, MAPS, READV, FRAMES,
	BARRIER, CALL, KINDS
};

static const char *const names[KINDS] = {
	"write", "mprotect", "munmap", "mmap", "mmap-file", "madvise", "mremap", "fork", "exec",
	"maps", "readv", "pagemap", "membarrier", "call"
};

/* Share of each kind, in percent. */
static const uint8_t share[KINDS] = { 24, 20, 6, 8, 4, 6, 8, 5, 1, 3, 5, 2, 4, 4 };

/* The shadow; turn is odd while the page is being changed. */
struct page {
	_Atomic uint32_t turn;
	int mapped;
	int prot;
	uint64_t stamp;		/* its contents; 0: only zeros */
	uint64_t base;		/* its contents after a drop */
};

static struct page shadow[PAGES];
static uint8_t *arena;
static uint64_t file_stamp;
static int file = -1, pagemap = -1;

/* Shared by all processes. */
struct shared {
	_Atomic uint64_t ops[MAX_CPUS][KINDS];
	_Atomic uint64_t probes, refused, raced;
	_Atomic int failed;
	uint64_t words[MAX_CPUS];
};

static struct shared *all;
static int cpus = 1, self;
static uint64_t seed, serial;
static double deadline;
static _Atomic int stop;
static _Thread_local uint64_t randomness;
static _Thread_local void *fault_at;

static void mismatch(const char *fmt, ...)
{
	va_list args;
	char text[256];
	int n;

	va_start(args, fmt);
	n = snprintf(text, sizeof(text), "shadow: MISMATCH: process %d: ", self);
	n += vsnprintf(text + n, sizeof(text) - n - 1, fmt, args);
	va_end(args);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	/* One write, so that lines of processes do not mix. */
	if (write(1, text, n) != n)
		_exit(4);
	all->failed = 1;
}

static void die(const char *what)
{
	printf("shadow: %s: %s\n", what, strerror(errno));
	if (all)
		all->failed = 1;
	_exit(2);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint32_t below(uint32_t n)
{
	randomness = randomness * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint64_t)(uint32_t)(randomness >> 32) * n >> 32;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- accesses that may fault --- */

/* Return 0, or 1 after a fault. */
int touch_read(const uint64_t *at, uint64_t *val);
int touch_write(uint64_t *at);
int touch_call(const void *at);
extern const char touch_read_insn[], touch_write_insn[], touch_faulted[];
asm(".text\n"
    "touch_read:\n"
    "	xor	%eax, %eax\n"
    "touch_read_insn:\n"
    "	mov	(%rdi), %rdx\n"
    "	mov	%rdx, (%rsi)\n"
    "	ret\n"
    /* A write that changes nothing, even beside writes of others. */
    "touch_write:\n"
    "	xor	%eax, %eax\n"
    "touch_write_insn:\n"
    "	lock orq $0, (%rdi)\n"
    "	ret\n"
    "touch_call:\n"
    "	xor	%eax, %eax\n"
    "	call	*%rdi\n"
    "	ret\n"
    "touch_faulted:\n"
    "	mov	$1, %eax\n"
    "	ret\n");

static void on_segv(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const char *ip = (const char *)regs[REG_RIP];
	uint8_t *at = info->si_addr;

	(void)sig;
	fault_at = at;
	if (ip == touch_read_insn || ip == touch_write_insn) {
		regs[REG_RIP] = (greg_t)touch_faulted;
		return;
	}
	if (ip == (const char *)at && at >= arena && at < arena + PAGES * PAGE) {
		/* The callee of touch_call(): return from it. */
		regs[REG_RIP] = *(greg_t *)regs[REG_RSP];
		regs[REG_RSP] += 8;
		regs[REG_RAX] = 1;
		return;
	}
	mismatch("unexpected fault at %p, instruction %p", (void *)at, (const void *)ip);
	_exit(3);
}

/* --- contents --- */

static uint64_t *page_at(uint32_t nr)
{
	return (uint64_t *)(arena + nr * PAGE);
}

static uint64_t word_of(uint64_t stamp, uint32_t word)
{
	if (!stamp)
		return 0;
	if (word == WORDS - 1)
		return RET;
	return word % STRIDE ? 0 : (stamp + word) * 0x9e3779b97f4a7c15ULL;
}

static void fill(uint64_t *to, uint64_t stamp)
{
	uint32_t word;

	for (word = 0; word < WORDS; word += STRIDE)
		to[word] = word_of(stamp, word);
	to[WORDS - 1] = word_of(stamp, WORDS - 1);
}

static int same(const uint64_t *is, uint32_t nr, const char *how)
{
	uint32_t word;

	for (word = 0; word < WORDS; word++) {
		uint64_t want = word_of(shadow[nr].stamp, word);

		if (is[word] != want) {
			mismatch("page %u, word %u %s is %lx, not %lx", nr, word, how, is[word], want);
			return 0;
		}
	}
	return 1;
}

/* Returns a stamp that no other process has. */
static uint64_t new_stamp(void)
{
	return (uint64_t)getpid() << 40 | ++serial;
}

/* --- single checks --- */

/*
 * Makes one access, in the process that changes the page or in a thread beside it.  The
 * result is ignored if the page was changed meanwhile.
 */
static void probe(uint32_t nr, int writing)
{
	struct page *page = &shadow[nr];
	uint32_t turn = page->turn, word = below(WORDS), again;
	int prot = page->mapped ? page->prot : PROT_NONE, faulted;
	uint64_t want = word_of(page->stamp, word), is = 0;
	uint64_t *at = page_at(nr) + word;

	faulted = writing ? touch_write(at) : touch_read(at, &is);
	again = page->turn;
	all->probes++;
	all->refused += faulted;
	if ((turn & 1) || turn != again) {
		all->raced++;
		return;
	}
	if (faulted == !!(writing ? prot & PROT_WRITE : prot))
		mismatch("page %u (%s, protection %d) %s be %s", nr,
			 page->mapped ? "mapped" : "not mapped", prot,
			 faulted ? "cannot" : "can", writing ? "written" : "read");
	else if (faulted && fault_at != at)
		mismatch("page %u: fault at %p instead of %p", nr, fault_at, (void *)at);
	else if (!faulted && !writing && is != want)
		mismatch("page %u, word %u, read by a thread: is %lx, not %lx", nr, word, is, want);
}

/* Only for the process that changes the page; a page of zeros is not called. */
static void probe_call(uint32_t nr)
{
	int allowed = shadow[nr].mapped && shadow[nr].prot & PROT_EXEC;

	if (shadow[nr].stamp && touch_call(page_at(nr) + WORDS - 1) == allowed)
		mismatch("page %u, protection %d, %s be executed", nr, shadow[nr].prot,
			 allowed ? "cannot" : "can");
}

/* Checks every word that can be read. */
static void check_contents(const char *how)
{
	uint32_t nr;

	for (nr = 0; nr < PAGES && !all->failed; nr++)
		if (shadow[nr].mapped && shadow[nr].prot)
			same(page_at(nr), nr, how);
}

/* Checks the contents, and all accesses that must fault. */
static void check_all(const char *how)
{
	uint32_t nr;

	for (nr = 0; nr < PAGES && !all->failed; nr++) {
		probe(nr, 0);
		probe(nr, 1);
	}
	check_contents(how);
}

/* Checks a page by the kernel, which walks the page tables itself. */
static void check_readv(uint32_t nr)
{
	uint64_t copy[WORDS];
	struct iovec to = { copy, PAGE }, from = { page_at(nr), PAGE };
	ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	int readable = shadow[nr].mapped && shadow[nr].prot;

	if (readable != (got == (ssize_t)PAGE))
		mismatch("page %u, protection %d: process_vm_readv() is %ld", nr, shadow[nr].prot,
			 got < 0 ? -(long)errno : (long)got);
	else if (readable)
		same(copy, nr, "by process_vm_readv()");
}

struct area {
	uint32_t first, end;	/* pages */
	int prot;
};

/* Reads the kernel's list of the arena's mappings; returns their number. */
static uint32_t areas(struct area *area)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t start, end, base = (uint64_t)arena;
	uint32_t count = 0;
	char line[512], prot[5];

	if (!maps)
		die("/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, prot) != 3)
			die("unreadable line in /proc/self/maps");
		if (end <= base || start >= base + PAGES * PAGE)
			continue;
		area[count++] = (struct area){
			.first = start < base ? 0 : (start - base) / PAGE,
			.end = end > base + PAGES * PAGE ? PAGES : (end - base) / PAGE,
			.prot = (prot[0] == 'r') * PROT_READ | (prot[1] == 'w') * PROT_WRITE |
				(prot[2] == 'x') * PROT_EXEC,
		};
	}
	fclose(maps);
	return count;
}

static void check_maps(void)
{
	struct area area[PAGES];
	uint32_t count = areas(area), at = 0, nr;

	for (nr = 0; nr < PAGES; nr++) {
		int mapped;

		while (at < count && area[at].end <= nr)
			at++;
		mapped = at < count && area[at].first <= nr;
		if (mapped != shadow[nr].mapped ||
		    (mapped && area[at].prot != shadow[nr].prot)) {
			mismatch("page %u, protection %d: /proc/self/maps says %s, %d", nr,
				 shadow[nr].prot, mapped ? "mapped" : "not mapped",
				 mapped ? area[at].prot : 0);
			return;
		}
	}
}

/* Checks that written pages are present, each in a frame of its own. */
static void check_frames(void)
{
	uint64_t entry[PAGES];
	uint32_t nr, other;

	if (pread(pagemap, entry, sizeof(entry), (uint64_t)arena / PAGE * 8) != sizeof(entry))
		die("/proc/self/pagemap");
	for (nr = 0; nr < PAGES; nr++) {
		if (!shadow[nr].mapped || shadow[nr].stamp == shadow[nr].base) {
			if (!shadow[nr].mapped && entry[nr] >> 63)
				mismatch("page %u is not mapped, and pagemap says it is there", nr);
			entry[nr] = 0;
			continue;
		}
		if (!(entry[nr] >> 63))
			mismatch("page %u was written, and pagemap says it is not there", nr);
		entry[nr] &= (1ULL << 55) - 1;
		for (other = 0; other < nr; other++)
			if (entry[nr] && entry[other] == entry[nr])
				mismatch("pages %u and %u share frame %lx", other, nr, entry[nr]);
	}
}

/* --- changes --- */

static void begin(uint32_t first, uint32_t end)
{
	for (; first < end; first++)
		shadow[first].turn++;
}

#define done(first, end)	begin(first, end)

static const int prots[] = {
	PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
	PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC
};

static int any_prot(void)
{
	return prots[below(sizeof(prots) / sizeof(*prots))];
}

/* Finds the next run of mapped pages in [first, end): system calls stop at holes. */
static int next_run(uint32_t *first, uint32_t end, uint32_t *run_end)
{
	while (*first < end && !shadow[*first].mapped)
		++*first;
	for (*run_end = *first; *run_end < end && shadow[*run_end].mapped; ++*run_end)
		;
	return *first < end;
}

static void do_write(uint32_t first, uint32_t end)
{
	uint64_t stamp;

	for (; first < end; first++) {
		if (!shadow[first].mapped || !(shadow[first].prot & PROT_WRITE)) {
			probe(first, 1);
			continue;
		}
		stamp = new_stamp();
		begin(first, first + 1);
		/* First remove the contents of the file. */
		if (shadow[first].base)
			memset(page_at(first), 0, PAGE);
		fill(page_at(first), stamp);
		shadow[first].stamp = stamp;
		done(first, first + 1);
	}
}

static void do_protect(uint32_t first, uint32_t end)
{
	uint32_t run, nr;
	int prot = any_prot();

	for (; next_run(&first, end, &run); first = run) {
		begin(first, run);
		if (mprotect(page_at(first), (run - first) * PAGE, prot))
			die("mprotect");
		for (nr = first; nr < run; nr++)
			shadow[nr].prot = prot;
		done(first, run);
		probe(first, 1);
		probe(run - 1, 0);
	}
}

static void set(uint32_t first, uint32_t end, int mapped, int prot, uint64_t base)
{
	for (; first < end; first++) {
		shadow[first].mapped = mapped;
		shadow[first].prot = prot;
		shadow[first].base = base ? base + first : 0;
		shadow[first].stamp = shadow[first].base;
	}
}

static void do_unmap(uint32_t first, uint32_t end)
{
	begin(first, end);
	if (munmap(page_at(first), (end - first) * PAGE))
		die("munmap");
	set(first, end, 0, PROT_NONE, 0);
	done(first, end);
	probe(first, 0);
}

/* Page N of the arena maps page N of the file. */
static void do_map(uint32_t first, uint32_t end, int from_file)
{
	int prot = any_prot();

	begin(first, end);
	if (mmap(page_at(first), (end - first) * PAGE, prot,
		 MAP_PRIVATE | MAP_FIXED | (from_file ? 0 : MAP_ANONYMOUS),
		 from_file ? file : -1, from_file ? first * PAGE : 0) != page_at(first))
		die("mmap");
	set(first, end, 1, prot, from_file ? file_stamp : 0);
	done(first, end);
	probe(end - 1, 0);
}

static void do_drop(uint32_t first, uint32_t end)
{
	uint32_t run, nr;

	for (; next_run(&first, end, &run); first = run) {
		begin(first, run);
		if (madvise(page_at(first), (run - first) * PAGE, MADV_DONTNEED))
			die("madvise");
		for (nr = first; nr < run; nr++)
			shadow[nr].stamp = shadow[nr].base;
		done(first, run);
		probe(first, 0);
	}
}

static void moved(uint32_t from, uint32_t to, uint32_t count)
{
	uint32_t nr;

	for (nr = 0; nr < count; nr++) {
		shadow[to + nr].mapped = 1;
		shadow[to + nr].prot = shadow[from + nr].prot;
		shadow[to + nr].stamp = shadow[from + nr].stamp;
		shadow[to + nr].base = shadow[from + nr].base;
	}
	set(from, from + count, 0, PROT_NONE, 0);
}

static void move(uint32_t from, uint32_t to, uint32_t count)
{
	begin(from, from + count);
	begin(to, to + count);
	if (mremap(page_at(from), count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   page_at(to)) != page_at(to))
		die("mremap");
	moved(from, to, count);
	done(from, from + count);
	done(to, to + count);
	probe(from, 0);
	probe(to, 0);
	probe(to + count - 1, 1);
}

/* mremap() can move only pages of one mapping. */
static void do_move(void)
{
	struct area area[PAGES];
	uint32_t count = areas(area), from, to, pages;

	if (!count)
		return;
	area[0] = area[below(count)];
	from = area[0].first + below(area[0].end - area[0].first);
	pages = 1 + below(area[0].end - from);
	to = below(PAGES - pages + 1);
	if (to < from + pages && from < to + pages)
		return;
	move(from, to, pages);
}

static void reap(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		mismatch("%s: child ended with status 0x%x", what, status);
}

static void change(enum kind kind, int depth);

static void some_changes(uint32_t count, int depth)
{
	while (count-- && !all->failed)
		change(below(READV), depth);
}

/* Parent and child write the pages that they share; each must see only its own writes. */
static void do_fork(int depth)
{
	uint64_t word = new_stamp();
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		randomness ^= word;
		close(pagemap);
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		check_contents("in the child");
		do_write(0, PAGES);
		check_contents("in the child, after its writes");
		some_changes(below(8), depth + 1);
		check_all("in the child, at its end");
		check_frames();
		/* This memory is shared, so the parent must see the write. */
		if (!depth)
			all->words[self] = word;
		_exit(all->failed);
	}
	do_write(0, PAGES);
	some_changes(below(4), depth + 1);
	check_contents("in the parent, beside the child");
	reap(pid, "fork");
	check_contents("in the parent, after the child");
	if (!depth && all->words[self] != word)
		mismatch("a child's write to shared memory is lost");
}

/* The program's data, twice as long as the words that a page can hold. */
extern uint64_t data_words[2048];
asm(".data\n"
    ".balign 8\n"
    "data_words:\n"
    "	.set	i, 0\n"
    "	.rept	2048\n"
    "	.quad	i * 0x10001\n"
    "	.set	i, i + 1\n"
    "	.endr\n"
    ".text\n");

static char long_word[3 * PAGE];

static void make_long_word(uint64_t of)
{
	uint32_t nr;

	for (nr = 0; nr < sizeof(long_word) - 1; nr++)
		long_word[nr] = 'a' + (of * 7 + nr * nr) % 23;
}

static void do_exec(void)
{
	pid_t pid;
	char number[32];

	serial++;
	make_long_word(serial);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		snprintf(number, sizeof(number), "%lu", serial);
		/* A change that must not survive exec. */
		data_words[1024] = 1;
		execl("/proc/self/exe", "shadow", "exec", number, long_word, (char *)NULL);
		_exit(127);
	}
	reap(pid, "exec");
}

static int after_exec(const char *number, const char *word)
{
	uint32_t nr;

	make_long_word(strtoull(number, NULL, 10));
	if (strcmp(word, long_word))
		return 1;
	for (nr = 0; nr < 2048; nr++) {
		if (data_words[nr] != nr * 0x10001ULL)
			return 1;
		data_words[nr] = 0;
	}
	return 0;
}

static void change(enum kind kind, int depth)
{
	uint32_t first = below(PAGES), most = PAGES - first, end;

	end = first + 1 + below(most > 64 ? 64 : most);
	switch (kind) {
	case WRITE:
		do_write(first, end);
		break;
	case PROTECT:
		do_protect(first, end);
		break;
	case UNMAP:
		do_unmap(first, end);
		break;
	case MAP:
	case MAP_FILE_PAGES:
		do_map(first, end, kind == MAP_FILE_PAGES);
		break;
	case DROP:
		do_drop(first, end);
		break;
	case MOVE:
		do_move();
		break;
	case FORK:
		if (depth < 2)
			do_fork(depth);
		break;
	case EXEC:
		do_exec();
		break;
	case MAPS:
		check_maps();
		break;
	case READV:
		check_readv(first);
		break;
	case FRAMES:
		check_frames();
		break;
	case BARRIER:
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			die("membarrier");
		break;
	case CALL:
		probe_call(first);
		break;
	case KINDS:
		break;
	}
	all->ops[self][kind]++;
}

static enum kind any_kind(void)
{
	uint32_t at = below(100), kind;

	for (kind = 0; kind < KINDS - 1 && at >= share[kind]; kind++)
		at -= share[kind];
	return kind;
}

/* --- the load --- */

static void *prober(void *arg)
{
	uint32_t nr;

	pin((intptr_t)arg);
	randomness = seed + self * 100 + (intptr_t)arg + 1;
	while (!stop) {
		for (nr = 0; nr < 16; nr++)
			probe(below(PAGES), below(2));
		/* Leave most of the time to changes: a signal costs as much as an mprotect(). */
		usleep(2000);
	}
	return NULL;
}

static void arena_setup(void)
{
	uint8_t *area = mmap(NULL, 4 * TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t border = ((uint64_t)area + TABLE - 1) / TABLE * TABLE + TABLE;
	uint64_t page[WORDS];
	uint32_t nr;

	if (area == MAP_FAILED)
		die("mmap");
	arena = (uint8_t *)border - PAGES / 2 * PAGE;
	set(0, PAGES, 1, PROT_NONE, 0);
	file = syscall(SYS_memfd_create, "shadow", MFD_CLOEXEC);
	file_stamp = 1ULL << 63;
	for (nr = 0; nr < PAGES; nr++) {
		memset(page, 0, sizeof(page));
		fill(page, file_stamp + nr);
		if (pwrite(file, page, PAGE, nr * PAGE) != (ssize_t)PAGE)
			die("memfd");
	}
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		die("/proc/self/pagemap");
}

static void process(void)
{
	pthread_t thread[MAX_CPUS];
	int cpu;

	randomness = seed + self;
	arena_setup();
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		die("membarrier");
	do_map(0, PAGES, 0);
	for (cpu = 0; cpu < cpus; cpu++)
		if (pthread_create(&thread[cpu], NULL, prober, (void *)(intptr_t)cpu))
			die("pthread_create");
	while (now() < deadline && !all->failed)
		change(any_kind(), 0);
	stop = 1;
	for (cpu = 0; cpu < cpus; cpu++)
		pthread_join(thread[cpu], NULL);
	check_all("at the end");
	_exit(all->failed);
}

static uint64_t sum(int cpu)
{
	uint64_t n = 0;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		n += all->ops[cpu][kind];
	return n;
}

/* Prints a line every ten seconds; finds processes that make no progress. */
static int watch(pid_t *pid)
{
	double start = now(), last[MAX_CPUS], said = start;
	uint64_t before[MAX_CPUS] = { 0 };
	int cpu, left = cpus, status;

	for (cpu = 0; cpu < cpus; cpu++)
		last[cpu] = start;
	while (left) {
		usleep(100000);
		for (cpu = 0; cpu < cpus; cpu++) {
			if (!pid[cpu])
				continue;
			if (waitpid(pid[cpu], &status, WNOHANG) == pid[cpu]) {
				pid[cpu] = 0;
				left--;
				if (status && !all->failed)
					mismatch("process %d ended with status 0x%x", cpu, status);
				continue;
			}
			if (sum(cpu) != before[cpu]) {
				before[cpu] = sum(cpu);
				last[cpu] = now();
			} else if (now() - last[cpu] > HANG_SECONDS) {
				mismatch("process %d has done nothing for %d s", cpu, HANG_SECONDS);
				return 1;
			}
		}
		if (now() - said >= 10) {
			uint64_t n = 0;

			said = now();
			for (cpu = 0; cpu < cpus; cpu++)
				n += sum(cpu);
			printf("shadow: %.0f s: %lu changes and checks, %lu probes\n", said - start, n,
			       all->probes);
		}
	}
	return all->failed;
}

static int load(double seconds)
{
	pid_t pid[MAX_CPUS];
	int cpu, kind, bad;

	deadline = now() + seconds;
	for (cpu = 0; cpu < cpus; cpu++) {
		pid[cpu] = fork();
		if (pid[cpu] < 0)
			die("fork");
		self = cpu;
		if (!pid[cpu])
			process();
	}
	bad = watch(pid);
	printf("shadow: totals: probes %lu refused %lu raced %lu", all->probes, all->refused, all->raced);
	for (kind = 0; kind < KINDS; kind++) {
		uint64_t n = 0;

		for (cpu = 0; cpu < cpus; cpu++)
			n += all->ops[cpu][kind];
		printf(" %s %lu", names[kind], n);
	}
	printf("\n");
	return bad;
}

/* --- one update is lost on purpose --- */

static void arm(const char *path, int really)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_CLOEXEC), n;

	n = snprintf(text, sizeof(text), "%d,%lu,drop", really, seed);
	if (fd < 0 || write(fd, text, n) != n)
		die(path);
	close(fd);
}

/* Loses the update that maps the child's copy at its first write to a shared page. */
static void plant_cow(const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		for (uint32_t round = 0; round < 2; round++) {
			arm(path, round);
			if (touch_write(page_at(round)))
				mismatch("page %u cannot be written", round);
			same(page_at(round), round, "with one update lost");
		}
		_exit(all->failed);
	}
	reap(pid, "fork");
}

/* Two rounds: the first one loses nothing, and brings all needed pages into memory. */
static int plant(const char *what, const char *path)
{
	uint32_t round, nr;

	arena_setup();
	for (round = 0; round < 2; round++) {
		begin(0, PAGES);
		if (mmap(arena, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) != arena)
			die("mmap");
		set(0, PAGES, 1, PROT_READ | PROT_WRITE, 0);
		done(0, PAGES);
		do_write(0, PAGES);
		if (!strcmp(what, "cow")) {
			plant_cow(path);
			break;
		}
		arm(path, round);
		if (!strcmp(what, "protect")) {
			begin(0, 64);
			if (mprotect(arena, 64 * PAGE, PROT_READ))
				die("mprotect");
			for (nr = 0; nr < 64; nr++)
				shadow[nr].prot = PROT_READ;
			done(0, 64);
		} else if (!strcmp(what, "move")) {
			move(0, 64, 32);
		} else {
			printf("shadow: plant %s: there are: protect move cow\n", what);
			return 2;
		}
		check_all(round ? "with one update lost" : "before");
	}
	return all->failed;
}

int main(int argc, char **argv)
{
	struct sigaction segv = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	double seconds = argc > 1 ? atof(argv[1]) : 0;

	if (argc == 4 && !strcmp(argv[1], "exec"))
		return after_exec(argv[2], argv[3]);
	setbuf(stdout, NULL);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		die("mmap");
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &segv, NULL);
	if (argc == 5 && !strcmp(argv[1], "plant")) {
		seed = strtoull(argv[4], NULL, 10);
		return plant(argv[2], argv[3]);
	}
	if (seconds <= 0 || argc > 3 || cpus > MAX_CPUS) {
		fprintf(stderr, "usage: shadow SECONDS [SEED] | shadow plant KIND FILE SEED\n");
		return 2;
	}
	seed = argc == 3 ? strtoull(argv[2], NULL, 10) : 1;
	return load(seconds);
}
