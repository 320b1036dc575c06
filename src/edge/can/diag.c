/* diag: diagnostic conversations (UDS over ISO-TP) as an observer sees them.
 *
 * A conversation is one ECU's answering identifier and the identifier that asks it, by the usual assignment
 * (codec/uds.h). VIDS_DIAG_MAX are followed at a time; a new one takes the place of the one silent longest. Told are:
 * each negative response except "pending" and "busy", what changes an ECU's state when the ECU agrees to it, steps that
 * need another one first, and scans: SCAN_MISSES refusals for different targets within SCAN_WINDOW_US. These are facts,
 * not suspicions, so they pass no episode; only the detector's budget bounds them. */
#include "codec/uds.h"
#include "edge/can/state.h"

#define SCAN_MISSES        12
#define SCAN_WINDOW_US     30000000u
#define NRC_BUSY           0x21
#define NRC_NOT_IN_SESSION 0x7F

enum diag_flag { DIAG_SEEDED = 1, DIAG_UNLOCKED = 2, DIAG_DOWNLOAD = 4 };

static struct vids_diag *conversation(struct vids *v, uint32_t response_id, bool extended, uint32_t bus)
{
    uint32_t now = vids_rel(v);
    struct vids_diag *oldest = &v->fixed->diag[0];

    for (unsigned i = 0; i < VIDS_DIAG_MAX; i++) {
        struct vids_diag *d = &v->fixed->diag[i];
        if (d->used && d->response_id == response_id && d->extended == extended && d->bus == bus) {
            d->seen_us = now;
            return d;
        }
        if (!d->used || (oldest->used && now - d->seen_us > now - oldest->seen_us))
            oldest = d;
    }
    v->counters.diag_evicted += oldest->used;
    memset(oldest, 0, sizeof *oldest);
    oldest->used = true;
    oldest->response_id = response_id;
    oldest->extended = extended;
    oldest->bus = (uint8_t)bus;
    oldest->seen_us = now;
    oldest->session = 1;
    isotp_init(&oldest->ask, oldest->ask_buf, sizeof oldest->ask_buf);
    isotp_init(&oldest->answer, oldest->answer_buf, sizeof oldest->answer_buf);
    return oldest;
}

static struct vids_finding *diag_raise(struct vids *v, const struct vids_diag *d, uint16_t type)
{
    struct vids_episode facts = {.used = true, .tokens = 1};
    struct vids_finding *f = vids_raise(v, &facts, VIDS_DIAGNOSTIC, type, 100);

    if (f == NULL)
        return NULL;
    f->has_id = true;
    f->can_id = d->response_id;
    f->extended = d->extended;
    f->bus = vids_bus_name(v, d->bus);
    return f;
}

static struct vids_finding *service_raise(struct vids *v, const struct vids_diag *d, uint16_t type, uint8_t sid)
{
    struct vids_finding *f = diag_raise(v, d, type);

    if (f != NULL) {
        vids_finding_uint(f, EV_F_SERVICE, sid);
        vids_finding_uint(f, EV_F_SESSION, d->session);
    }
    return f;
}

static void violation(struct vids *v, const struct vids_diag *d, const struct uds *u, const char *reason)
{
    struct vids_finding *f = service_raise(v, d, EV_UDS_SEQUENCE_VIOLATION, u->sid);

    if (f != NULL)
        vids_finding_text(f, EV_F_REASON, slice_str(reason));
}

static void request(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    d->sid = u->sid;
    d->sub = u->has_sub ? u->sub : 0;
    d->did = u->has_did ? u->did : 0;
    switch (u->sid) {
    case UDS_SECURITY_ACCESS:
        if (u->has_sub && u->sub % 2 == 0 && (d->flags & DIAG_SEEDED) == 0)
            violation(v, d, u, "key_without_seed");
        break;
    case UDS_REQUEST_DOWNLOAD:
    case UDS_REQUEST_UPLOAD:
    case UDS_WRITE_MEMORY:
        if ((d->flags & DIAG_UNLOCKED) == 0)
            violation(v, d, u, "locked");
        break;
    case UDS_TRANSFER_DATA:
    case UDS_TRANSFER_EXIT:
        if ((d->flags & DIAG_DOWNLOAD) == 0)
            violation(v, d, u, "no_download");
        break;
    default:
        break;
    }
}

static void scan_count(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    uint32_t now = vids_rel(v);
    uint16_t target = (uint16_t)(d->did != 0 ? d->did : u->sid);

    if (now - d->window_us > SCAN_WINDOW_US) {
        d->window_us = now;
        d->misses = 0;
        d->scan_said = false;
    }
    if (target == d->last_target)
        return;
    d->last_target = target;
    if (++d->misses < SCAN_MISSES || d->scan_said)
        return;
    d->scan_said = true;
    struct vids_finding *f = diag_raise(v, d, EV_UDS_SCAN);
    if (f == NULL)
        return;
    vids_finding_uint(f, EV_F_SERVICE, u->sid);
    vids_finding_uint(f, EV_F_NRC, u->nrc);
    vids_finding_uint(f, EV_F_FRAMES, d->misses);
}

static void refused(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    if (u->nrc == UDS_NRC_RESPONSE_PENDING || u->nrc == NRC_BUSY)
        return;
    struct vids_finding *f = service_raise(v, d, EV_UDS_NEGATIVE_RESPONSE, u->sid);
    if (f != NULL) {
        vids_finding_uint(f, EV_F_NRC, u->nrc);
        if (d->sid == u->sid && d->sub != 0)
            vids_finding_uint(f, EV_F_SUBFUNCTION, d->sub);
        if (d->sid == u->sid && d->did != 0)
            vids_finding_uint(f, u->sid == UDS_ROUTINE_CONTROL ? EV_F_ROUTINE : EV_F_DID, d->did);
    }
    if (u->nrc == UDS_NRC_SERVICE_NOT_SUPPORTED || u->nrc == UDS_NRC_SUBFUNCTION_NOT_SUPPORTED ||
        u->nrc == UDS_NRC_OUT_OF_RANGE || u->nrc == NRC_NOT_IN_SESSION)
        scan_count(v, d, u);
}

static void sub_raise(struct vids *v, const struct vids_diag *d, const struct uds *u, uint16_t type)
{
    struct vids_finding *f = service_raise(v, d, type, u->sid);

    if (f != NULL && u->has_sub)
        vids_finding_uint(f, EV_F_SUBFUNCTION, u->sub);
}

static void security_agreed(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    if (!u->has_sub)
        return;
    if (u->sub % 2 == 1) {
        d->flags |= DIAG_SEEDED;
        return;
    }
    d->flags |= DIAG_UNLOCKED;
    sub_raise(v, d, u, EV_UDS_SECURITY_UNLOCKED);
}

static void session_agreed(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    if (!u->has_sub)
        return;
    if (u->sub == 1)
        d->flags = 0;
    d->session = u->sub;
    struct vids_finding *f = diag_raise(v, d, EV_UDS_SESSION_CHANGED);
    if (f != NULL)
        vids_finding_uint(f, EV_F_SESSION, u->sub);
}

static void number_raise(struct vids *v, const struct vids_diag *d, const struct uds *u, uint16_t type,
                         enum ev_field_id id)
{
    struct vids_finding *f = service_raise(v, d, type, u->sid);

    if (f != NULL && (u->has_did || d->did != 0))
        vids_finding_uint(f, id, u->has_did ? u->did : d->did);
}

static void agreed(struct vids *v, struct vids_diag *d, const struct uds *u)
{
    switch (u->sid) {
    case UDS_SECURITY_ACCESS:
        security_agreed(v, d, u);
        break;
    case UDS_AUTHENTICATION:
        if (u->has_sub && (u->sub == 3 || u->sub == 6 || u->sub == 7)) {
            d->flags |= DIAG_UNLOCKED;
            sub_raise(v, d, u, EV_UDS_AUTHENTICATION_SUCCEEDED);
        }
        break;
    case UDS_SESSION_CONTROL:
        session_agreed(v, d, u);
        break;
    case UDS_WRITE_DID:
        number_raise(v, d, u, EV_UDS_DATA_WRITTEN, EV_F_DID);
        break;
    case UDS_REQUEST_DOWNLOAD:
    case UDS_REQUEST_UPLOAD:
        d->flags |= DIAG_DOWNLOAD;
        service_raise(v, d, EV_UDS_DOWNLOAD_REQUESTED, u->sid);
        break;
    case UDS_TRANSFER_EXIT:
        d->flags &= (uint8_t)~DIAG_DOWNLOAD;
        break;
    case UDS_ROUTINE_CONTROL:
        if (u->has_sub && u->sub == 1)
            number_raise(v, d, u, EV_UDS_ROUTINE_STARTED, EV_F_ROUTINE);
        break;
    case UDS_COMMUNICATION_CONTROL:
        sub_raise(v, d, u, EV_UDS_COMMUNICATION_CONTROL);
        break;
    case UDS_ECU_RESET:
        sub_raise(v, d, u, EV_UDS_ECU_RESET);
        d->flags = 0;
        d->session = 1;
        break;
    case UDS_CLEAR_DTC:
        service_raise(v, d, EV_UDS_DTC_CLEARED, u->sid);
        break;
    case UDS_CONTROL_DTC_SETTING:
        if (u->has_sub && u->sub == 2)
            sub_raise(v, d, u, EV_UDS_DTC_CLEARED);
        break;
    default:
        break;
    }
}

static bool message(struct vids *v, struct vids_diag *d, struct slice payload)
{
    struct uds u;

    if (uds_parse(payload, &u) != VS_OK)
        return false;
    if (!u.is_response)
        request(v, d, &u);
    else if (u.negative)
        refused(v, d, &u);
    else
        agreed(v, d, &u);
    return true;
}

/* The start of a message longer than VIDS_DIAG_BYTES: enough for service, sub-function and identifier. */
static struct slice long_start(const struct can_frame *fr)
{
    bool wide = fr->len > 6 && fr->data[0] == 0x10 && fr->data[1] == 0;

    return slice_from(can_frame_data(fr), wide ? 6 : 2);
}

bool vids_diag_step(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    bool extended = (fr->flags & CAN_FRAME_EXT) != 0;
    enum uds_role role = uds_can_role(fr->id, extended);
    struct isotp_item item;

    if (role == UDS_ROLE_NONE)
        return false;
    if (role == UDS_ROLE_FUNCTIONAL) /* to everybody: a single frame, answered one by one */
        return fr->len > 1 && fr->data[0] >= 1 && fr->data[0] <= 7 && fr->data[0] < fr->len;
    uint32_t response = role == UDS_ROLE_RESPONSE ? fr->id : uds_can_peer(fr->id, extended);
    struct vids_diag *d = conversation(v, response, extended, bus);
    enum vs_err err =
        isotp_step(role == UDS_ROLE_RESPONSE ? &d->answer : &d->ask, can_frame_data(fr), v->now_us, &item);
    if (err == VS_ERR_LIMIT)
        return message(v, d, long_start(fr));
    if (err != VS_OK) {
        v->counters.diag_malformed++;
        return err == VS_ERR_CONFLICT; /* out of order: still a part of a conversation */
    }
    return item.kind == ISOTP_MESSAGE ? message(v, d, item.payload) : true;
}
