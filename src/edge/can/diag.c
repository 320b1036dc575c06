/* diag: placeholder until the conversation tracker below is complete. */
#include "edge/can/state.h"

bool vids_diag_step(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    (void)v;
    (void)fr;
    (void)bus;
    return false;
}
