/* index_atoms - the values that tests name, each once.
 *
 * One open-addressing hash table over an array of atoms; the table is rebuilt at twice the size
 * when it is half full. The only failure is no memory.
 */
#include "rules/index_inside.h"

#include <string.h>

bool index_test_atom(const struct test *test, uint64_t *bits, enum atom_kind *kind,
                     atamo_bytes *text)
{
    *text = test->of.text;
    switch ((enum test_kind)test->kind) {
    case TEST_TEXT:
        *kind = ATOM_TEXT;
        return true;
    case TEST_LITERAL:
        *kind = ATOM_LITERAL;
        return true;
    case TEST_NUMBER:
        *kind = ATOM_NUMBER;
        memcpy(bits, &test->of.range.low, sizeof *bits);
        *text = (atamo_bytes){(const char *)bits, sizeof *bits};
        return true;
    default:
        return false;
    }
}

static bool is_atom(const struct atom *atom, uint32_t field, enum atom_kind kind, atamo_bytes text)
{
    if (atom->field != field || atom->kind != kind || atom->size != text.size)
        return false;
    if (kind == ATOM_NUMBER || kind == ATOM_PAIR)
        return memcmp(&atom->of.number, text.data, sizeof atom->of.number) == 0;
    return text.size == 0 || memcmp(atom->of.text, text.data, text.size) == 0;
}

uint32_t index_find(const struct index *index, uint32_t field, enum atom_kind kind,
                    atamo_bytes text, uint32_t hash)
{
    for (uint32_t at = hash;; at++) {
        const struct atom_slot *slot = &index->slots[at & index->slot_mask];

        if (slot->atom == 0)
            return 0;
        if (slot->hash == hash && is_atom(&index->atoms[slot->atom], field, kind, text))
            return slot->atom;
    }
}

static struct atom_slot *free_slot(struct atom_slot *slots, uint32_t mask, uint32_t hash)
{
    uint32_t at = hash;

    while (slots[at & mask].atom != 0)
        at++;
    return &slots[at & mask];
}

static int grow_slots(struct index *index)
{
    const uint32_t room = index->slots == NULL ? 64 : (index->slot_mask + 1) * 2;
    struct atom_slot *slots = arena_array(index->arena, room, sizeof *slots);

    if (slots == NULL)
        return ATAMO_NO_MEMORY;
    for (uint32_t i = 0; index->slots != NULL && i <= index->slot_mask; i++) {
        if (index->slots[i].atom != 0)
            *free_slot(slots, room - 1, index->slots[i].hash) = index->slots[i];
    }
    index->slots = slots;
    index->slot_mask = room - 1;
    return ATAMO_OK;
}

static int grow_atoms(struct index *index)
{
    const uint32_t room = index->atom_room == 0 ? 32 : index->atom_room * 2;
    struct atom *atoms = arena_array(index->arena, room, sizeof *atoms);

    if (atoms == NULL)
        return ATAMO_NO_MEMORY;
    if (index->atom_count > 0)
        memcpy(atoms, index->atoms, index->atom_count * sizeof *atoms);
    else
        index->atom_count = 1;
    index->atoms = atoms;
    index->atom_room = room;
    return ATAMO_OK;
}

uint32_t index_intern(struct index *index, uint32_t field, enum atom_kind kind, atamo_bytes text)
{
    const uint32_t hash = index_hash(field, kind, text);
    uint32_t found;
    struct atom *atom;

    if (index->slots == NULL || index->atom_count * 2 > index->slot_mask) {
        if (grow_slots(index) != ATAMO_OK)
            return 0;
    }
    found = index_find(index, field, kind, text, hash);
    if (found != 0)
        return found;
    if (index->atom_count >= index->atom_room && grow_atoms(index) != ATAMO_OK)
        return 0;
    found = index->atom_count++;
    atom = &index->atoms[found];
    *atom = (struct atom){.field = field, .size = (uint32_t)text.size, .kind = kind & 7u};
    if (kind == ATOM_NUMBER || kind == ATOM_PAIR)
        memcpy(&atom->of.number, text.data, sizeof atom->of.number);
    else
        atom->of.text = text.data;
    *free_slot(index->slots, index->slot_mask, hash) = (struct atom_slot){hash, found};
    return found;
}
