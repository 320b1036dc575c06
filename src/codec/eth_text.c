#include "codec/eth_packet.h"
#include "core/writer.h"

static void write_hex_digits(struct writer *w, unsigned value)
{
    static const char DIGIT[] = "0123456789abcdef";
    unsigned shift = 12;

    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        writer_u8(w, (uint8_t)DIGIT[value >> shift & 15u]);
        if (shift == 0)
            break;
    }
}

void eth_mac_write(struct writer *w, const uint8_t mac[ETH_MAC_SIZE])
{
    for (unsigned i = 0; i < ETH_MAC_SIZE; i++) {
        if (i > 0)
            writer_u8(w, ':');
        writer_hex(w, slice_make(mac + i, 1), false);
    }
}

static unsigned group_of(const struct ip_addr *a, unsigned i)
{
    return (unsigned)a->byte[2 * i] << 8 | a->byte[2 * i + 1];
}

/* RFC 5952: the longest run of two or more zero groups, the first of equals, is "::". */
static void find_run(const struct ip_addr *a, unsigned *ret_at, unsigned *ret_len)
{
    *ret_at = *ret_len = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        while (i + n < 8 && group_of(a, i + n) == 0)
            n++;
        if (n > 1 && n > *ret_len) {
            *ret_at = i;
            *ret_len = n;
        }
        i += n;
    }
}

static void write_ip6(struct writer *w, const struct ip_addr *a)
{
    unsigned run, run_len;

    find_run(a, &run, &run_len);
    for (unsigned i = 0; i < 8;) {
        if (run_len > 0 && i == run) {
            writer_text(w, "::");
            i += run_len;
            continue;
        }
        if (i > 0 && !(run_len > 0 && i == run + run_len))
            writer_u8(w, ':');
        write_hex_digits(w, group_of(a, i++));
    }
}

void ip_addr_write(struct writer *w, const struct ip_addr *a)
{
    if (a->family == 6) {
        write_ip6(w, a);
    } else if (a->family == 4) {
        for (unsigned i = 0; i < 4; i++) {
            if (i > 0)
                writer_u8(w, '.');
            writer_u64_text(w, a->byte[i]);
        }
    }
}
