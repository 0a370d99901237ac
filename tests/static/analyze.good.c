// SPDX-License-Identifier: GPL-2.0-only OR MIT
int *known_to_gcc(void);
int known_to_clang(int n, int by);
unsigned int known_to_cppcheck(void);

int *known_to_gcc(void)
{
	int *p = __builtin_malloc(sizeof(*p));

	if (p)
		*p = 1;
	return p;
}

int known_to_clang(int n, int by)
{
	return by ? n / by : n;
}

unsigned int known_to_cppcheck(void)
{
	unsigned int entry[4] = { 0 }, i;

	for (i = 0; i < 4; i++)
		entry[i] = 1U;
	return entry[0];
}
