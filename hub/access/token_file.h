/* token_file - the file of tokens on the disk: read it, change it.
 *
 * It is replaced as a whole: the new one is written beside it, synced, and takes its name, so that
 * whoever reads has the old or the new one. Whoever changes it locks its folder until then, so that
 * none of two changes is lost. A new file can be read by its owner alone; one that is replaced
 * keeps its owner, and whether its group may read it.
 */
#ifndef HUB_ACCESS_TOKEN_FILE_H
#define HUB_ACCESS_TOKEN_FILE_H

#include "access/token_list.h"

#include <sys/stat.h>

/* Read the file and what stat() says of what was read. `problems` says what is wrong.
 * ATAMO_NOT_FOUND, ATAMO_DENIED (also: others than its owner could write it), ATAMO_IO,
 * ATAMO_DAMAGED, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY. */
int token_file_read(const char *path, struct problems *problems, struct token_list *list,
                    struct stat *about);

/* Make a token of `token`, whose user, tenant, note, scopes and times are set, and add it; id, hash
 * and `text`, which has the secret, are filled in. A file that is not there is made. Beside those
 * of token_file_read(): ATAMO_EXISTS if the user has two that have not expired. */
int token_file_add(const char *path, struct token *token, struct problems *problems,
                   char text[TOKEN_TEXT_SIZE + 1]);

/* Remove the token of that id; *removed is what it was. ATAMO_NOT_FOUND also if there is none. */
int token_file_remove(const char *path, const char *id, struct problems *problems,
                      struct token *removed);

#endif
