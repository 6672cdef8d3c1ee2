/* atamo/event.h - what a client submits, and how its parts are named.
 *
 * An event is a CloudEvents 1.0 event (https://github.com/cloudevents/spec, spec v1.0.2) with a few
 * extension attributes of this hub's own: user, tenant, and the published extensions partitionkey,
 * traceparent, expirytime, correlationid and causationid.
 */
#ifndef ATAMO_EVENT_H
#define ATAMO_EVENT_H

#include "atamo/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The attributes that the hub knows. All are text. */
typedef enum atamo_attribute {
    ATAMO_ID,              /* unique with the source; the hub makes a UUID version 7 if absent */
    ATAMO_SOURCE,          /* URI reference: who says so */
    ATAMO_TYPE,            /* "order.created"; required */
    ATAMO_SUBJECT,         /* what it is about, within the source */
    ATAMO_TIME,            /* RFC 3339: when it happened, not when it was submitted */
    ATAMO_DATACONTENTTYPE, /* media type of the data; absent: application/json */
    ATAMO_DATASCHEMA,      /* URI of the schema that the data follows */
    ATAMO_USER,            /* on whose behalf; rules may ask `for:` users and groups */
    ATAMO_TENANT,          /* whose data: nothing is ever shared between tenants */
    ATAMO_PARTITIONKEY,    /* actions with the same key run in order, one at a time, per agent */
    ATAMO_TRACEPARENT,     /* W3C trace context */
    ATAMO_EXPIRYTIME,      /* RFC 3339: after this nobody wants it any more */
    ATAMO_CORRELATIONID,   /* id of the first event of a chain */
    ATAMO_CAUSATIONID,     /* id of the event whose action emitted this one */
    ATAMO_ATTRIBUTE_COUNT
} atamo_attribute;

/* The CloudEvents name of an attribute ("datacontenttype"), or NULL. Thread: any. */
static inline const char *atamo_attribute_name(atamo_attribute attribute)
{
    static const char *const names[ATAMO_ATTRIBUTE_COUNT] = {
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "user",
        "tenant",
        "partitionkey",
        "traceparent",
        "expirytime",
        "correlationid",
        "causationid",
    };

    return (unsigned)attribute < ATAMO_ATTRIBUTE_COUNT ? names[attribute] : NULL;
}

/* A CloudEvents extension attribute that is not in the list above. */
typedef struct atamo_extension_attribute {
    atamo_bytes name; /* lower-case letters and digits, at most 20 */
    atamo_bytes value;
} atamo_extension_attribute;

/* An event that somebody is about to submit. Set `size`, `type` and what else there is; all other
 * fields may be zero. The submitter owns what the fields point at and may reuse it when the call
 * that takes the draft returns: the hub copies. */
typedef struct atamo_event_draft {
    uint32_t size;  /* sizeof(atamo_event_draft) */
    uint32_t flags; /* ATAMO_DATA_BINARY */
    atamo_bytes id;
    atamo_bytes source;
    atamo_bytes type;
    atamo_bytes subject;
    atamo_bytes time;
    atamo_bytes datacontenttype;
    atamo_bytes dataschema;
    atamo_bytes user;
    atamo_bytes tenant;
    atamo_bytes partitionkey;
    atamo_bytes traceparent;
    atamo_bytes correlationid;
    atamo_bytes causationid;
    atamo_bytes data;      /* JSON text unless datacontenttype says otherwise; at most 16 MiB */
    int64_t expires_at_ms; /* Unix milliseconds; 0: never */
    uint64_t delay_ms;     /* evaluate no earlier than this after submission; 0: at once */
    const atamo_extension_attribute *extensions;
    size_t extension_count; /* at most 64 */
} atamo_event_draft;

/* The data is bytes, not text: JSON representations carry it as `data_base64`. */
enum { ATAMO_DATA_BINARY = 1u << 0 };

/* An event inside the hub. Opaque: read it through the host's functions. */
typedef struct atamo_event atamo_event;

#ifdef __cplusplus
}
#endif

#endif
