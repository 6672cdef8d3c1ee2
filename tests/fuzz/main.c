/* main - runs a fuzz target without a fuzzer: once on nothing, and once on each file of the folders
 * that are its arguments. Fails if a file cannot be read; what the target finds aborts it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { INPUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size;
    int status = -1;

    if (file == NULL)
        return -1;
    data = malloc(INPUT_MAX);
    if (data == NULL)
        goto done;
    size = fread(data, 1, INPUT_MAX, file);
    if (ferror(file) || !feof(file))
        goto done;
    (void)LLVMFuzzerTestOneInput(data, size);
    status = 0;
done:
    free(data);
    (void)fclose(file);
    return status;
}

static int run_entry(const char *folder, const char *name, unsigned *count)
{
    struct stat about;
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (length < 0 || (size_t)length >= sizeof path || stat(path, &about) != 0)
        return -1;
    if (!S_ISREG(about.st_mode))
        return 0;
    *count += 1;
    if (run_file(path) == 0)
        return 0;
    (void)fprintf(stderr, "%s: cannot be read, or over %d bytes\n", path, (int)INPUT_MAX);
    return -1;
}

static int run_folder(const char *folder, unsigned *count)
{
    struct dirent **names = NULL;
    const int found = scandir(folder, &names, NULL, alphasort);
    int status = found < 0 ? -1 : 0;

    if (found < 0)
        (void)fprintf(stderr, "%s: no such folder\n", folder);
    for (int i = 0; i < found; i++) {
        if (run_entry(folder, names[i]->d_name, count) != 0)
            status = -1;
        free(names[i]);
    }
    free(names);
    return status;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    unsigned count = 0;
    int status = 0;

    (void)LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++)
        if (run_folder(argv[i], &count) != 0)
            status = 1;
    (void)printf("%u inputs\n", count);
    return status;
}
