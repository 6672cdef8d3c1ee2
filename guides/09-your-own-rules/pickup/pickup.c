/* pickup - rules that take a parcel which nobody was at home for to the nearest pick-up shop.
 *
 *     {id: r, provider: pickup, on: parcel.undelivered, within_km: 5, agent: mailer, action: send,
 *      shops: {kiosk: {name: Kiosk am Dom, lat: 50.9413, lon: 6.9583}}}
 *
 * Happy path: compile() keeps the shops, each with its user; evaluate() finds the one nearest to
 * data.position and proposes a mail to the customer on behalf of that shop. If none is near enough
 * it proposes nothing. An event without a position fails the rule for this event, with an alert.
 * Rules with other keys, or without these, are refused with a sentence.
 */
#include <atamo/json.h>
#include <atamo/rule_provider.h>

#include <math.h>
#include <stdlib.h>

enum { SHOPS_MAX = 64, TEXT_MAX = 64 };

static const double EARTH_KM = 6371.0, RADIANS = 0.017453292519943295;

struct place {
    double lat, lon; /* degrees */
};

struct shop {
    char user[TEXT_MAX], name[TEXT_MAX];
    struct place place;
};

struct rule {
    double within_km;
    char agent[TEXT_MAX], action[TEXT_MAX];
    size_t shop_count;
    struct shop shops[SHOPS_MAX];
};

struct pickup {
    const atamo_host *host;
    const atamo_json *json;
    atamo_json_reader *reader;
};

/* --- on the map */

static double square(double x)
{
    return x * x;
}

/* Along the surface of the earth: the haversine formula. */
static double distance_km(struct place a, struct place b)
{
    const double h =
        square(sin((b.lat - a.lat) / 2 * RADIANS)) +
        cos(a.lat * RADIANS) * cos(b.lat * RADIANS) * square(sin((b.lon - a.lon) / 2 * RADIANS));

    return 2 * EARTH_KM * asin(fmin(1.0, sqrt(h)));
}

static const struct shop *nearest(const struct rule *rule, struct place from, double *km)
{
    const struct shop *found = NULL;

    *km = rule->within_km;
    for (size_t i = 0; i < rule->shop_count; i++) {
        const double far = distance_km(from, rule->shops[i].place);

        if (far <= *km) {
            *km = far;
            found = &rule->shops[i];
        }
    }
    return found;
}

/* 0: it has no position, or one that is not on the earth. */
static int read_place(const struct pickup *self, const atamo_json_value *value, struct place *place)
{
    const atamo_json_value lat = self->json->member(self->reader, value, "lat");
    const atamo_json_value lon = self->json->member(self->reader, value, "lon");

    *place = (struct place){lat.number, lon.number};
    return lat.kind == ATAMO_JSON_NUMBER && lon.kind == ATAMO_JSON_NUMBER &&
           fabs(lat.number) <= 90 && fabs(lon.number) <= 180;
}

/* --- rules */

static int keep_text(const struct pickup *self, atamo_bytes key, const atamo_json_value *value,
                     char *place)
{
    if (value->kind != ATAMO_JSON_TEXT || value->text.size == 0 || value->text.size >= TEXT_MAX)
        return atamo_refuse(self->host, "\"%.*s\" must be a text of 1 to %d bytes", (int)key.size,
                            key.data, TEXT_MAX - 1);
    memcpy(place, value->text.data, value->text.size + 1);
    return ATAMO_OK;
}

static int read_shops(const struct pickup *self, const atamo_json_value *shops, struct rule *rule)
{
    if (shops->kind != ATAMO_JSON_OBJECT || shops->count > SHOPS_MAX)
        return atamo_refuse(self->host, "\"shops\" must be a map of at most %d users", SHOPS_MAX);
    for (size_t i = 0; i < shops->count; i++) {
        struct shop *shop = &rule->shops[rule->shop_count++];
        atamo_bytes user = {"", 0};
        const atamo_json_value entry = self->json->at(self->reader, shops, i, &user);
        const atamo_json_value name = self->json->member(self->reader, &entry, "name");

        (void)snprintf(shop->user, sizeof shop->user, "%.*s", (int)user.size, user.data);
        if (entry.count != 3 || !read_place(self, &entry, &shop->place))
            return atamo_refuse(self->host, "shop %s needs a name, lat and lon", shop->user);
        if (keep_text(self, atamo_text("name"), &name, shop->name) != ATAMO_OK)
            return ATAMO_INVALID;
    }
    return ATAMO_OK;
}

static int is(atamo_bytes key, const char *name)
{
    return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

static int read_member(const struct pickup *self, atamo_bytes key, const atamo_json_value *value,
                       struct rule *rule)
{
    if (is(key, "id") || is(key, "on") || is(key, "for") || is(key, "provider"))
        return ATAMO_OK; /* the hub's own */
    if (is(key, "agent"))
        return keep_text(self, key, value, rule->agent);
    if (is(key, "action"))
        return keep_text(self, key, value, rule->action);
    if (is(key, "shops"))
        return read_shops(self, value, rule);
    if (!is(key, "within_km"))
        return atamo_refuse(self->host, "key \"%.*s\" is unknown", (int)key.size, key.data);
    rule->within_km = value->number;
    return ATAMO_OK;
}

static int read_rule(const struct pickup *self, atamo_bytes text, struct rule *rule)
{
    atamo_json_value root;
    char why[256];
    int status = ATAMO_OK;

    if (self->json->parse(self->reader, text, &root, why) != ATAMO_OK)
        return atamo_refuse(self->host, "%s", why);
    for (size_t i = 0; i < root.count && status == ATAMO_OK; i++) {
        atamo_bytes key = {"", 0};
        const atamo_json_value value = self->json->at(self->reader, &root, i, &key);

        status = read_member(self, key, &value, rule);
    }
    if (status == ATAMO_OK &&
        (rule->within_km <= 0 || !rule->agent[0] || !rule->action[0] || rule->shop_count == 0))
        status = atamo_refuse(self->host, "within_km, agent, action and shops are required");
    return status;
}

static int compile(void *self, atamo_bytes id, atamo_bytes text, void **compiled)
{
    struct rule *rule = calloc(1, sizeof *rule);
    int status = rule == NULL ? ATAMO_NO_MEMORY : read_rule(self, text, rule);

    (void)id;
    if (status == ATAMO_OK)
        *compiled = rule;
    else
        free(rule);
    return status;
}

static void release(void *self, void *rule)
{
    (void)self;
    free(rule);
}

/* --- events */

static int propose(const struct pickup *self, const struct rule *rule, const struct shop *shop,
                   atamo_bytes text, const atamo_json_value *to, void *evaluation)
{
    char body[2048], quoted[1024];
    const size_t size = self->json->quote(text, quoted, sizeof quoted); /* it writes no NUL */
    atamo_proposal proposal = {.size = sizeof proposal};

    if (size > sizeof quoted ||
        snprintf(body, sizeof body, "{\"to\": %.*s, \"subject\": \"Your parcel\", \"text\": %.*s}",
                 (int)to->raw.size, to->raw.data, (int)size, quoted) >= (int)sizeof body)
        return ATAMO_TOO_LARGE;
    proposal.agent = atamo_text(rule->agent);
    proposal.action = atamo_text(rule->action);
    proposal.as = atamo_text(shop->user);
    proposal.body = atamo_text(body);
    return self->host->propose(self->host, evaluation, &proposal);
}

static int evaluate(void *own, void *compiled, const atamo_event *event, void *evaluation,
                    char *why)
{
    const struct pickup *self = own;
    const atamo_bytes parcel = self->host->attribute(self->host, event, ATAMO_SUBJECT);
    atamo_json_value root, position, customer, to;
    const struct shop *shop;
    struct place place;
    char text[300];
    double km;

    if (self->json->parse(self->reader, self->host->data(self->host, event), &root, why) !=
        ATAMO_OK)
        return ATAMO_INVALID;
    position = self->json->member(self->reader, &root, "position");
    customer = self->json->member(self->reader, &root, "customer");
    to = self->json->member(self->reader, &customer, "email");
    if (!read_place(self, &position, &place) || to.kind != ATAMO_JSON_TEXT) {
        (void)snprintf(why, 256, "data needs position.lat, position.lon and customer.email");
        return ATAMO_INVALID;
    }
    shop = nearest(compiled, place, &km);
    if (shop == NULL)
        return ATAMO_OK;
    (void)snprintf(text, sizeof text, "Parcel %.100s waits for you at %s, %.1f km from your door.",
                   parcel.data, shop->name, km);
    return propose(self, compiled, shop, atamo_text(text), &to, evaluation);
}

/* --- life */

static int create(const atamo_host *host, void **own)
{
    struct pickup *self = calloc(1, sizeof *self);

    if (self == NULL)
        return ATAMO_NO_MEMORY;
    self->host = host;
    self->json = host->extension(host, ATAMO_JSON_EXTENSION);
    if (self->json == NULL || self->json->open(host, &self->reader) != ATAMO_OK) {
        free(self);
        return ATAMO_NO_MEMORY;
    }
    *own = self;
    return ATAMO_OK;
}

static void destroy(void *own)
{
    struct pickup *self = own;

    self->json->close(self->reader);
    free(self);
}

static const atamo_rule_provider rules = {
    .size = sizeof rules, .compile = compile, .evaluate = evaluate, .release = release};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD,      .id = "pickup",
                .version = "1.0.0",     .summary = "rules that find the nearest pick-up shop",
                .create = create,       .destroy = destroy,
                .rule_provider = &rules};
