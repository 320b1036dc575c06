/* sim_disk: a disk in memory behind the segment log's I/O port, whose power can be taken away at any operation.
 *
 * What was written but not synced is pending. At a power loss each pending write of each file is lost, kept, or kept in
 * part (a run of its SECTOR-sized pieces), independently and in any order, as a kernel writes back pages; a file that
 * was created and whose folder was not synced may be gone; a rename may not have happened. The dice come from a seed.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "seed.h"
#include "stream/segment/segment_io.h"

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *d);
/* The port; valid as long as the disk. */
struct segment_io sim_disk_io(struct sim_disk *d);
/* Operations that change something, so far. */
uint64_t sim_disk_operations(const struct sim_disk *d);
/* From operation `at` on (counted from now, 1 = the next one) nothing works any more; that one itself may be half done.
 */
void sim_disk_fail_at(struct sim_disk *d, uint64_t at);
/* The power comes back: pending things are settled by the dice, handles are gone, everything works again. */
void sim_disk_power_up(struct sim_disk *d);
/* Only the process dies: what it wrote stays in the kernel's cache, seen by all and not yet durable. */
void sim_disk_process_dies(struct sim_disk *d);
/* Inverts bits of a byte that is on the disk. False when the file is shorter. */
bool sim_disk_damage(struct sim_disk *d, const char *path, uint64_t at, uint8_t bits);
int64_t sim_disk_size(const struct sim_disk *d, const char *path);
/* Removes a file as if it had never been there. */
void sim_disk_remove(struct sim_disk *d, const char *path);

#endif
