/* Bearer tokens: made into a file, checked while the file changes. Time is what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/token_file.h"
#include "access/tokens.h"
#include "unit/config/files.h"

#include <pthread.h>
#include <unistd.h>

#define SECOND   INT64_C(1000000000)
#define THEN     (INT64_C(1800000000) * SECOND)
#define NEXT(at) ((at) += SECOND) /* late enough to look at the file again */

struct fixture {
    struct files files;
    struct problems problems;
    char path[256];
    char said[512]; /* the last line of the log */
    int lines;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL || !files_open(&f->files))
        return -1;
    problems_init(&f->problems);
    (void)snprintf(f->path, sizeof f->path, "%s", files_path(&f->files, "tokens"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    problems_close(&f->problems);
    files_close(&f->files);
    free(f);
    return 0;
}

static void note_line(void *user, int level, const char *instance, const char *line)
{
    struct fixture *f = user;

    assert_string_equal(instance, "access");
    (void)snprintf(f->said, sizeof f->said, "%d %s", level, line);
    f->lines++;
}

static struct token wish(const char *user)
{
    struct token token = {.scopes = ATAMO_SCOPE_EVENTS_WRITE, .created_ns = THEN};

    (void)snprintf(token.user, sizeof token.user, "%s", user);
    return token;
}

/* A token in the file; returns its id. */
static const char *add(struct fixture *f, struct token *token, char text[TOKEN_TEXT_SIZE + 1])
{
    const int status = token_file_add(f->path, token, &f->problems, text);

    if (status != ATAMO_OK)
        fail_msg("%s", f->problems.count > 0 ? f->problems.list[0].text : "it cannot be added");
    return token->id;
}

static struct tokens *open_tokens(struct fixture *f)
{
    struct tokens *tokens = NULL;

    assert_int_equal(tokens_open(f->path, &f->problems, &tokens), ATAMO_OK);
    tokens_tell(tokens, (struct tokens_log){note_line, f});
    return tokens;
}

static int check(struct tokens *tokens, const char *text, int64_t now_ns)
{
    atamo_identity who = {.size = sizeof who};

    return tokens_check(tokens, atamo_text(text), now_ns, &who);
}

static void write_text(struct fixture *f, const char *text)
{
    files_write(&f->files, "tokens", text);
    assert_int_equal(chmod(f->path, 0600), 0);
}

static void test_a_token_is_known_by_what_was_said_of_it(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    atamo_identity who = {.size = sizeof who};
    struct tokens *tokens;

    (void)snprintf(token.tenant, sizeof token.tenant, "acme");
    (void)snprintf(token.note, sizeof token.note, "for \"the\" \xc3\xa4rger");
    token.scopes |= ATAMO_SCOPE_DEAD_MANAGE;
    (void)add(f, &token, text);
    assert_int_equal(strlen(text), TOKEN_TEXT_SIZE);
    tokens = open_tokens(f);
    assert_int_equal(tokens_check(tokens, atamo_text(text), THEN, &who), ATAMO_OK);
    assert_string_equal(who.user, "anna");
    assert_string_equal(who.tenant, "acme");
    assert_string_equal(who.token_id, token.id);
    assert_int_equal(who.scopes, ATAMO_SCOPE_EVENTS_WRITE | ATAMO_SCOPE_DEAD_MANAGE);
    tokens_unref(tokens);
}

static void test_what_is_read_is_what_was_written(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    struct token_list list = {NULL, 0};
    char text[TOKEN_TEXT_SIZE + 1];
    const struct token *read;
    struct stat about;

    token.expires_ns = THEN + 90 * SECOND;
    token.scopes = TOKEN_SCOPES_ALL;
    (void)snprintf(token.note, sizeof token.note, "\\ \" %s", "\xe2\x82\xac");
    (void)add(f, &token, text);
    assert_int_equal(token_file_read(f->path, &f->problems, &list, &about), ATAMO_OK);
    read = token_list_find(&list, token.id);
    assert_non_null(read);
    assert_memory_equal(read->hash, token.hash, sizeof token.hash);
    assert_string_equal(read->note, token.note);
    assert_int_equal(read->scopes, token.scopes);
    assert_int_equal(read->created_ns, token.created_ns);
    assert_int_equal(read->expires_ns, token.expires_ns);
    token_list_free(&list);
}

static void test_the_secret_is_not_in_the_file(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    char content[4096] = "";
    FILE *file;

    (void)add(f, &token, text);
    file = fopen(f->path, "r");
    assert_non_null(file);
    assert_true(fread(content, 1, sizeof content - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(content, token.id));
    assert_null(strstr(content, text + 6 + TOKEN_ID_SIZE + 1));
}

static void test_no_other_text_is_that_token(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    struct tokens *tokens;
    char longer[TOKEN_TEXT_SIZE + 2];

    (void)add(f, &token, text);
    tokens = open_tokens(f);
    for (size_t i = 0; i < TOKEN_TEXT_SIZE; i++) {
        const char before = text[i];

        text[i] = (char)(before == 'a' ? 'b' : 'a');
        assert_int_equal(check(tokens, text, THEN), ATAMO_DENIED);
        text[i] = '=';
        assert_int_equal(check(tokens, text, THEN), ATAMO_DENIED);
        text[i] = before;
    }
    assert_int_equal(check(tokens, text, THEN), ATAMO_OK);
    (void)snprintf(longer, sizeof longer, "%s ", text);
    assert_int_equal(check(tokens, longer, THEN), ATAMO_DENIED);
    text[TOKEN_TEXT_SIZE - 1] = '\0';
    assert_int_equal(check(tokens, text, THEN), ATAMO_DENIED);
    assert_int_equal(check(tokens, "", THEN), ATAMO_DENIED);
    assert_int_equal(check(tokens, token.id, THEN), ATAMO_DENIED);
    tokens_unref(tokens);
}

static void test_the_secret_of_one_does_not_open_with_the_id_of_another(void **state)
{
    struct fixture *f = *state;
    struct token anna = wish("anna");
    struct token ben = wish("ben");
    char annas[TOKEN_TEXT_SIZE + 1];
    char bens[TOKEN_TEXT_SIZE + 1];
    struct tokens *tokens;

    (void)add(f, &anna, annas);
    (void)add(f, &ben, bens);
    tokens = open_tokens(f);
    memcpy(annas + 6, ben.id, TOKEN_ID_SIZE);
    assert_int_equal(check(tokens, annas, THEN), ATAMO_DENIED);
    memcpy(bens + 6, "aaaaaaaaaa", TOKEN_ID_SIZE);
    assert_int_equal(check(tokens, bens, THEN), ATAMO_DENIED);
    tokens_unref(tokens);
}

static void test_a_token_holds_until_it_expires(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    struct tokens *tokens;

    token.expires_ns = THEN + 90 * SECOND;
    (void)add(f, &token, text);
    tokens = open_tokens(f);
    assert_int_equal(check(tokens, text, token.expires_ns - 1), ATAMO_OK);
    assert_int_equal(check(tokens, text, token.expires_ns), ATAMO_DENIED);
    assert_int_equal(check(tokens, text, INT64_MAX), ATAMO_DENIED);
    tokens_unref(tokens);
}

static void test_a_user_has_two_tokens_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct token first = wish("anna");
    struct token second = wish("anna");
    struct token third = wish("anna");
    struct token other = wish("ben");
    struct token removed;
    char text[TOKEN_TEXT_SIZE + 1];

    first.expires_ns = THEN + SECOND;
    (void)add(f, &first, text);
    (void)add(f, &second, text);
    assert_int_equal(token_file_add(f->path, &third, &f->problems, text), ATAMO_EXISTS);
    assert_non_null(strstr(f->problems.list[0].text, "anna has two tokens that have not expired"));
    (void)add(f, &other, text);
    third.created_ns = first.expires_ns;
    (void)add(f, &third, text);
    assert_int_equal(token_file_add(f->path, &third, &f->problems, text), ATAMO_EXISTS);
    assert_int_equal(token_file_remove(f->path, second.id, &f->problems, &removed), ATAMO_OK);
    assert_string_equal(removed.user, "anna");
    (void)add(f, &third, text);
}

static void test_what_changes_in_the_file_holds_within_a_second(void **state)
{
    struct fixture *f = *state;
    struct token anna = wish("anna");
    struct token ben = wish("ben");
    char annas[TOKEN_TEXT_SIZE + 1];
    char bens[TOKEN_TEXT_SIZE + 1];
    struct tokens *tokens;
    struct token removed;
    int64_t now = THEN;

    (void)add(f, &anna, annas);
    tokens = open_tokens(f);
    assert_int_equal(check(tokens, annas, now), ATAMO_OK);
    (void)add(f, &ben, bens);
    assert_int_equal(check(tokens, bens, now + SECOND - 1), ATAMO_DENIED);
    assert_int_equal(check(tokens, bens, NEXT(now)), ATAMO_OK);
    assert_int_equal(token_file_remove(f->path, anna.id, &f->problems, &removed), ATAMO_OK);
    assert_int_equal(check(tokens, annas, now), ATAMO_OK);
    assert_int_equal(check(tokens, annas, NEXT(now)), ATAMO_DENIED);
    assert_int_equal(check(tokens, bens, now), ATAMO_OK);
    /* A clock that went back, far behind the last look. */
    (void)add(f, &anna, annas);
    assert_int_equal(check(tokens, annas, THEN - 900 * SECOND), ATAMO_OK);
    assert_int_equal(f->lines, 0);
    tokens_unref(tokens);
}

static void test_a_file_that_goes_bad_changes_nothing_which_is_said_once(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    char away[512];
    struct tokens *tokens;
    int64_t now = THEN;

    (void)add(f, &token, text);
    tokens = open_tokens(f);
    (void)snprintf(away, sizeof away, "%s.away", f->path);
    assert_int_equal(rename(f->path, away), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(check(tokens, text, NEXT(now)), ATAMO_OK);
    assert_int_equal(f->lines, 1);
    assert_non_null(strstr(f->said, "3 "));
    assert_non_null(strstr(f->said, "cannot read it: No such file"));
    assert_non_null(strstr(f->said, "stay as they were"));
    write_text(f, "{\"version\": 1,\n\"tokens\": [5]}");
    assert_int_equal(check(tokens, text, NEXT(now)), ATAMO_OK);
    assert_int_equal(f->lines, 1);
    assert_int_equal(rename(away, f->path), 0);
    assert_int_equal(check(tokens, text, NEXT(now)), ATAMO_OK);
    assert_int_equal(f->lines, 2);
    assert_non_null(strstr(f->said, "good again"));
    write_text(f, "{\"version\": 1,\n\"tokens\": [5]}");
    assert_int_equal(check(tokens, text, NEXT(now)), ATAMO_OK);
    assert_int_equal(f->lines, 3);
    assert_non_null(strstr(f->said, ":2:12: a token is to be an object"));
    write_text(f, "{\"version\": 1, \"tokens\": []}");
    assert_int_equal(check(tokens, text, NEXT(now)), ATAMO_DENIED);
    assert_int_equal(f->lines, 4);
    tokens_unref(tokens);
}

#define ID              "\"id\": \"abcdefghij\""
#define USER            "\"user\": \"anna\""
#define SCOPE           "\"scopes\": [\"rules:read\"]"
#define MADE            "\"created\": \"2026-11-21T08:00:00Z\""
#define HASH            "\"hash\": \"0011223344556677889900112233445566778899001122334455667788990011\""
#define ALL             ID "," USER "," SCOPE "," MADE "," HASH
#define FILE_OF(tokens) "{\"version\": 1, \"tokens\": [\n" tokens "\n]}"

static void test_a_damaged_file_is_refused_with_the_line_and_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *why;
    } cases[] = {
        {"", 1, "no file of tokens"},
        {"{\"version\": 1,\n \"tokens\": [", 2, "no file of tokens"},
        {"[]", 1, "expected {\"version\": 1"},
        {"{\"version\": 2, \"tokens\": []}", 1, "expected {\"version\": 1"},
        {"{\"version\": \"1\", \"tokens\": []}", 1, "expected {\"version\": 1"},
        {"{\"version\": 1, \"tokens\": {}}", 1, "expected {\"version\": 1"},
        {"{\"version\": 1, \"tokens\": [], \"more\": 1}", 1, "expected {\"version\": 1"},
        {FILE_OF("7"), 2, "a token is to be an object"},
        {FILE_OF("{" ID "," USER "," SCOPE "," MADE "}"), 2, "needs the member \"hash\""},
        {FILE_OF("{" ALL ", \"nots\": \"x\"}"), 2, "a token has no member \"nots\""},
        {FILE_OF("{" ALL "," USER "}"), 2, "\"user\" is given twice"},
        {FILE_OF("{" ALL ", \"note\": 5}"), 2, "\"note\" of a token is to be text"},
        {FILE_OF("{" ALL ", \"note\": \"\\u0007\"}"), 2, "\"note\" of a token is to be text"},
        {FILE_OF("{" ALL ", \"tenant\": \"\"}"), 2, "\"tenant\" of a token is to be text"},
        {FILE_OF("{" ALL ", \"expires\": \"soon\"}"), 2, "\"expires\" of a token is to be a time"},
        {FILE_OF("{" ALL ", \"expires\": \"2999-01-01T00:00:00Z\"}"), 2, "is to be a time"},
        {FILE_OF("{\"id\": \"abcdefghi0\"," USER "," SCOPE "," MADE "," HASH "}"), 2, "\"id\" of"},
        {FILE_OF("{" ID "," USER ",\n\"scopes\": [\"rules:reed\"]," MADE "," HASH "}"), 3,
         "no scope \"rules:reed\"; did you mean \"rules:read\"?"},
        {FILE_OF("{" ID "," USER ",\"scopes\": \"*\"," MADE "," HASH "}"), 2, "\"scopes\" of"},
        {FILE_OF("{" ID "," USER "," SCOPE "," MADE ", \"hash\": \"00\"}"), 2, "64 hexadecimal"},
        {FILE_OF("{" ALL "},\n{" ALL "}"), 0, "two tokens have the id abcdefghij"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tokens *tokens = NULL;

        write_text(f, cases[i].text);
        problems_close(&f->problems);
        assert_int_equal(tokens_open(f->path, &f->problems, &tokens), ATAMO_DAMAGED);
        assert_null(tokens);
        assert_true(f->problems.count > 0);
        assert_string_equal(f->problems.list[0].place.file, f->path);
        if (strstr(f->problems.list[0].text, cases[i].why) == NULL)
            fail_msg("of case %zu it says: %s", i, f->problems.list[0].text);
        assert_int_equal(f->problems.list[0].place.line, cases[i].line);
    }
    write_text(f, FILE_OF("{" ALL "}"));
    tokens_unref(open_tokens(f));
}

static mode_t mode_of(const char *path)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_mode & 07777;
}

static void test_the_file_is_its_owners_alone(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    struct tokens *tokens = NULL;
    char text[TOKEN_TEXT_SIZE + 1];
    const mode_t mask = umask(0);

    (void)add(f, &token, text);
    (void)umask(mask);
    assert_int_equal(mode_of(f->path), 0600);
    assert_int_equal(chmod(f->path, 0644), 0);
    (void)add(f, &token, text);
    assert_int_equal(mode_of(f->path), 0640); /* a group that could read it still can */
    assert_int_equal(chmod(f->path, 0660), 0);
    assert_int_equal(tokens_open(f->path, &f->problems, &tokens), ATAMO_DENIED);
    assert_non_null(strstr(f->problems.list[0].text, "others than its owner can write it"));
    token = wish("ben");
    assert_int_equal(token_file_add(f->path, &token, &f->problems, text), ATAMO_DENIED);
}

static void test_what_is_no_file_is_refused_and_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    struct tokens *tokens = NULL;

    assert_int_equal(tokens_open(f->path, &f->problems, &tokens), ATAMO_NOT_FOUND);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(tokens_open(f->path, &f->problems, &tokens), ATAMO_IO);
    assert_int_equal(token_file_add(f->path, &token, &f->problems, text), ATAMO_IO);
    assert_int_equal(tokens_open(f->files.folder, &f->problems, &tokens), ATAMO_IO);
    (void)snprintf(f->path, sizeof f->path, "%s/none/tokens", f->files.folder);
    assert_int_equal(token_file_add(f->path, &token, &f->problems, text), ATAMO_NOT_FOUND);
}

static void test_a_link_stays_and_what_a_killed_change_left_is_swept_away(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    char link[512], left[512];
    struct stat about;

    (void)add(f, &token, text);
    (void)snprintf(link, sizeof link, "%s.link", f->path);
    (void)snprintf(left, sizeof left, "%s.new", f->path);
    assert_int_equal(symlink("tokens", link), 0);
    assert_int_equal(symlink("/dev/full", left), 0);
    assert_int_equal(token_file_add(link, &token, &f->problems, text), ATAMO_OK);
    assert_int_equal(lstat(link, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(mode_of(f->path), 0600);
}

static void test_an_id_that_is_not_there_cannot_be_revoked(void **state)
{
    struct fixture *f = *state;
    struct token token = wish("anna");
    char text[TOKEN_TEXT_SIZE + 1];
    struct token removed;

    assert_int_equal(token_file_remove(f->path, "abcdefghij", &f->problems, &removed),
                     ATAMO_NOT_FOUND);
    (void)add(f, &token, text);
    assert_int_equal(token_file_remove(f->path, "abcdefghij", &f->problems, &removed),
                     ATAMO_NOT_FOUND);
    assert_int_equal(token_file_remove(f->path, "", &f->problems, &removed), ATAMO_NOT_FOUND);
    assert_int_equal(token_file_remove(f->path, token.id, &f->problems, &removed), ATAMO_OK);
    assert_int_equal(token_file_remove(f->path, token.id, &f->problems, &removed), ATAMO_NOT_FOUND);
}

enum { WRITERS = 4, EACH = 8 };

struct writer {
    const char *path;
    int number;
    int failed;
};

static void *write_some(void *argument)
{
    struct writer *writer = argument;

    for (int i = 0; i < EACH; i++) {
        struct problems problems;
        struct token token = wish("");
        char text[TOKEN_TEXT_SIZE + 1];

        problems_init(&problems);
        (void)snprintf(token.user, sizeof token.user, "user-%d-%d", writer->number, i);
        writer->failed += token_file_add(writer->path, &token, &problems, text) != ATAMO_OK;
        problems_close(&problems);
    }
    return NULL;
}

static void test_of_changes_at_the_same_time_none_is_lost(void **state)
{
    struct fixture *f = *state;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    struct token_list list = {NULL, 0};
    struct stat about;

    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){f->path, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].failed, 0);
    }
    assert_int_equal(token_file_read(f->path, &f->problems, &list, &about), ATAMO_OK);
    assert_int_equal(list.count, WRITERS * EACH);
    token_list_free(&list);
}

static void test_every_scope_has_a_name_that_leads_back_to_it(void **state)
{
    const char *nearest;

    (void)state;
    for (uint32_t scope = 1; scope <= ATAMO_SCOPE_LAST; scope <<= 1)
        assert_int_equal(token_scope(atamo_text(atamo_scope_name(scope)), &nearest), scope);
    assert_string_equal(atamo_scope_name(0), "");
    assert_string_equal(atamo_scope_name(3), "");
    assert_string_equal(atamo_scope_name(2 * (unsigned)ATAMO_SCOPE_LAST), "");
    assert_int_equal(token_scope(atamo_text("events:wirte"), &nearest), 0);
    assert_string_equal(nearest, "events:write");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_token_is_known_by_what_was_said_of_it),
        TEST(test_what_is_read_is_what_was_written),
        TEST(test_the_secret_is_not_in_the_file),
        TEST(test_no_other_text_is_that_token),
        TEST(test_the_secret_of_one_does_not_open_with_the_id_of_another),
        TEST(test_a_token_holds_until_it_expires),
        TEST(test_a_user_has_two_tokens_at_a_time),
        TEST(test_what_changes_in_the_file_holds_within_a_second),
        TEST(test_a_file_that_goes_bad_changes_nothing_which_is_said_once),
        TEST(test_a_damaged_file_is_refused_with_the_line_and_what_is_wrong),
        TEST(test_the_file_is_its_owners_alone),
        TEST(test_what_is_no_file_is_refused_and_not_waited_for),
        TEST(test_a_link_stays_and_what_a_killed_change_left_is_swept_away),
        TEST(test_an_id_that_is_not_there_cannot_be_revoked),
        TEST(test_of_changes_at_the_same_time_none_is_lost),
        TEST(test_every_scope_has_a_name_that_leads_back_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
