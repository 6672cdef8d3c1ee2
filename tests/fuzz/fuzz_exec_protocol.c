/* fuzz_exec_protocol - any bytes as what a worker of the `exec` agent writes: the first byte says
 * in what pieces they come and how long a line may be, the rest is cut into lines, and each is read
 * or refused. What the fast path reads, the parser must read in the same way; a draft has a type;
 * base64 that is read is written back the same.
 *
 * The plugin exports nothing but its table, so sources of it are part of this program.
 */
#include "answer.h"
#include "base64.h"
#include "level.h"
#include "lines.h"
#include "plugin/json_extension.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_base64(atamo_bytes text)
{
    char *bytes = malloc(text.size / 4 * 3 + 1);
    char *again = malloc(text.size + 1);
    size_t size = 0;

    require(bytes != NULL && again != NULL);
    if (base64_read(text, bytes, &size)) {
        require(base64_size(size) == text.size);
        base64_write((atamo_bytes){bytes, size}, again);
        require(memcmp(again, text.data, text.size) == 0);
    }
    free(bytes);
    free(again);
}

static void check_draft(atamo_json_reader *reader, const struct answer *answer)
{
    atamo_event_draft draft;
    void *memory = NULL;
    char why[ANSWER_WHY] = "";

    if (answer_draft(json_extension(), reader, &answer->emit, &draft, &memory, why) == ATAMO_OK)
        require(draft.type.size > 0);
    else
        require(why[0] != '\0' && memory == NULL);
    free(memory);
}

static void check_line(atamo_json_reader *reader, atamo_bytes line)
{
    struct answer fast;
    struct answer answer;
    char why[ANSWER_WHY] = "";
    const bool is_short = answer_read_short(line, &fast);
    const int status = answer_read(json_extension(), reader, line, &answer, why);
    atamo_bytes text;

    if (is_short)
        require(status == ATAMO_OK && answer.id == fast.id && answer.outcome == fast.outcome &&
                answer.log < 0 && !answer.has_response && !answer.has_emit &&
                answer_leading_id(line) == fast.id);
    if (status != ATAMO_OK) {
        require(why[0] != '\0');
    } else {
        require(answer.id != 0 || answer.log >= 0);
        if (answer.has_emit)
            check_draft(reader, &answer);
        if (answer.is_base64)
            check_base64(answer.response);
    }
    (void)level_of_line(line, &text);
    require(text.data >= line.data && text.data + text.size == line.data + line.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t piece = size == 0 ? 1 : 1 + data[0] % 16u * 16u;
    const size_t limit = size == 0 ? 1 : 1 + data[0] / 16u * 64u;
    atamo_json_reader *reader = NULL;
    struct lines lines;
    atamo_bytes line;
    enum lines_next next;

    require(json_extension()->open(NULL, &reader) == ATAMO_OK);
    lines_init(&lines, limit);
    for (size_t at = 1; at < size; at += piece) {
        require(buffer_add(&lines.bytes, (const char *)data + at,
                           size - at < piece ? size - at : piece) == ATAMO_OK);
        while ((next = lines_peek(&lines, &line)) != LINES_NONE) {
            require(line.size <= limit && memchr(line.data, '\n', line.size) == NULL);
            if (next == LINES_WHOLE)
                check_line(reader, line);
            else
                (void)answer_leading_id(line);
            lines_take(&lines, line);
        }
        require(buffer_size(&lines.bytes) <= limit + piece);
    }
    line = lines_rest(&lines);
    if (line.size > 0)
        check_line(reader, line);
    lines_close(&lines);
    json_extension()->close(reader);
    return 0;
}
