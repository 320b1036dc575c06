/* errors: what SocketCAN error frames tell about the bus (linux/can/error.h).
 *
 * One error frame is the weather; patterns are told: ERRORS_MANY within a leaky bucket that loses one per LEAK_US; a
 * transmit error counter that climbs by 8 or more, RISES times in a row, which is the mark of a bus-off attack on this
 * node; lost arbitrations likewise counted. Bus-off is told at once, and again only after a restart. */
#include "edge/can/state.h"

#define LEAK_US     100000
#define ERRORS_MANY 10
#define RISES       4

static void leak(struct vids_bus_state *b, uint32_t now)
{
    uint32_t steps = (now - b->error_us) / LEAK_US;

    if (steps == 0)
        return;
    b->error_us += steps * LEAK_US;
    b->error_level = (uint16_t)(b->error_level > steps ? b->error_level - steps : 0);
    b->arbitration_level = (uint16_t)(b->arbitration_level > steps ? b->arbitration_level - steps : 0);
}

static void error_raise(struct vids *v, uint32_t bus, uint16_t type, const struct can_frame *fr, uint32_t frames)
{
    struct vids_finding *f = vids_raise(v, &v->fixed->bus[bus].episode, VIDS_ERROR_FRAMES, type, 100);

    if (f == NULL)
        return;
    f->bus = vids_bus_name(v, bus);
    if (frames > 0)
        vids_finding_uint(f, EV_F_FRAMES, frames);
    vids_finding_uint(f, EV_F_ERROR_CLASS, fr->id & 0xFFFF);
    if (type != EV_CAN_ARBITRATION && fr->len >= 8 && (fr->id & CAN_ERROR_COUNTERS) != 0) {
        vids_finding_uint(f, EV_F_TEC, fr->data[6]);
        vids_finding_uint(f, EV_F_REC, fr->data[7]);
    }
}

/* True when the transmit error counter has climbed steadily. */
static bool tec_climbs(struct vids_bus_state *b, const struct can_frame *fr)
{
    if (fr->len < 8 || ((fr->id & CAN_ERROR_COUNTERS) == 0 && fr->data[6] == 0))
        return false;
    uint8_t tec = fr->data[6];
    if (tec >= b->tec_last + 8)
        b->tec_rises = (uint8_t)(b->tec_rises + (b->tec_rises < UINT8_MAX));
    else if (tec < b->tec_last)
        b->tec_rises = 0;
    b->tec_last = tec;
    return b->tec_rises >= RISES;
}

void vids_errors_step(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    struct vids_bus_state *b = &v->fixed->bus[bus];
    bool climbs = tec_climbs(b, fr);

    leak(b, vids_rel(v));
    if ((fr->id & CAN_ERROR_RESTARTED) != 0)
        b->off = false;
    if ((fr->id & CAN_ERROR_BUS_OFF) != 0 && !b->off) {
        b->off = true;
        b->episode.active = 0; /* bus-off is news even within an episode of errors */
        error_raise(v, bus, EV_CAN_BUS_OFF, fr, 0);
    }
    if ((fr->id & CAN_ERROR_LOST_ARBITRATION) != 0 && ++b->arbitration_level >= ERRORS_MANY)
        error_raise(v, bus, EV_CAN_ARBITRATION, fr, b->arbitration_level);
    if ((fr->id & (CAN_ERROR_PROTOCOL | CAN_ERROR_BUS | CAN_ERROR_CONTROLLER | CAN_ERROR_NO_ACK |
                   CAN_ERROR_TRANSCEIVER | CAN_ERROR_TX_TIMEOUT)) == 0)
        return;
    b->error_level = (uint16_t)(b->error_level + (b->error_level < UINT16_MAX));
    if (b->error_level >= ERRORS_MANY || climbs)
        error_raise(v, bus, EV_CAN_ERROR_FRAMES, fr, b->error_level);
}
