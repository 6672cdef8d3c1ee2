// scan - the one place where the hub touches simdjson and C++.
//
// Happy path: the scanner keeps one simdjson implementation (chosen at run time for this processor)
// and runs its first stage, which finds token starts and checks UTF-8 at several GB/s. The second
// stage is our own (parse.c): simdjson's DOM refuses numbers past 64 bits, copies every string, and
// its on-demand parser does not check what it skips. simdjson asks for 64 readable bytes behind a
// text; only its second stage needs them: the first copies the last, incomplete step. A test with a
// page that must not be read holds it to that, so a waiting message is spared those bytes. No
// exception leaves: allocations are nothrow. Fails if there is no memory or the text is not UTF-8,
// is empty, or has a string that does not end.
#include "json/scan.h"

#include <charconv>
#include <memory>
#include <new>
#include <simdjson.h>

struct scanner {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    size_t capacity;
};

namespace
{

constexpr size_t depth_unused = 64; // stage 1 keeps no stack

scan_result grow(scanner *s, size_t size)
{
    size_t capacity = s->capacity == 0 ? 4096 : s->capacity;

    while (capacity < size)
        capacity *= 2;
    if (capacity == s->capacity)
        return SCAN_OK;
    if (s->stage == nullptr) {
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(
                capacity, depth_unused, s->stage) != simdjson::SUCCESS)
            return SCAN_NO_MEMORY;
    } else if (s->stage->set_capacity(capacity) != simdjson::SUCCESS) {
        s->capacity = 0;
        s->stage.reset();
        return SCAN_NO_MEMORY;
    }
    s->capacity = capacity;
    return SCAN_OK;
}

scan_result translate(simdjson::error_code code)
{
    switch (code) {
    case simdjson::SUCCESS:
        return SCAN_OK;
    case simdjson::UTF8_ERROR:
        return SCAN_NOT_UTF8;
    case simdjson::UNCLOSED_STRING:
        return SCAN_OPEN_STRING;
    case simdjson::UNESCAPED_CHARS:
        return SCAN_CONTROL_BYTE;
    case simdjson::CAPACITY:
        return SCAN_TOO_LARGE;
    default:
        return SCAN_EMPTY;
    }
}

} // namespace

scanner *scanner_open(void)
{
    auto *s = new (std::nothrow) scanner{nullptr, 0};

    if (s != nullptr && grow(s, 1) != SCAN_OK) {
        delete s;
        return nullptr;
    }
    return s;
}

void scanner_close(scanner *s)
{
    delete s;
}

scan_result scanner_run(scanner *s, const char *text, size_t size, const uint32_t **starts,
                        size_t *count)
{
    scan_result result;

    if (size == 0)
        return SCAN_EMPTY;
    if (size > SCAN_BYTES_MAX)
        return SCAN_TOO_LARGE;
    if (size > s->capacity) {
        result = grow(s, size);
        if (result != SCAN_OK)
            return result;
    }
    result = translate(s->stage->stage1(reinterpret_cast<const uint8_t *>(text), size,
                                        simdjson::stage1_mode::regular));
    *starts = s->stage->structural_indexes.get();
    *count = s->stage->n_structural_indexes;
    return result;
}

bool scan_is_utf8(const char *text, size_t size)
{
    return simdjson::validate_utf8(text, size);
}

bool scan_double(const char *text, size_t size, double *number)
{
    return std::from_chars(text, text + size, *number).ec == std::errc();
}

size_t scan_shortest(double number, char text[SCAN_NUMBER_TEXT_MAX])
{
    auto end =
        std::to_chars(text, text + SCAN_NUMBER_TEXT_MAX, number, std::chars_format::scientific);

    return static_cast<size_t>(end.ptr - text);
}
