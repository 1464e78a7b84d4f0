/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feeds the files of a corpus to a fuzz target where libFuzzer is not linked, so
   that every corpus runs in every test run. Options are passed over. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t n = 0, got;

	if (!f)
		return -1;
	do {
		data = realloc(data, n + 65536);
		if (!data)
			abort();
		got = fread(data + n, 1, 65536, f);
		n += got;
	} while (got);
	fclose(f);
	/* An exact copy, so that the sanitizer sees reads past the end. */
	uint8_t *exact = malloc(n ? n : 1);
	for (size_t i = 0; i < n; i++)
		exact[i] = data[i];
	free(data);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned fed = 0;

	for (int i = 1; i < argc; i++) {
		char path[4096];
		struct dirent *d;
		DIR *dir;

		if (argv[i][0] == '-')
			continue;
		dir = opendir(argv[i]);
		if (!dir) {
			fed += feed(argv[i]) == 0;
			continue;
		}
		while ((d = readdir(dir))) {
			if (d->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], d->d_name);
			fed += feed(path) == 0;
		}
		closedir(dir);
	}
	printf("%u inputs\n", fed);
	return fed == 0;
}
