#include "ingest/pseudonym.h"

#include "base/crypto.h"
#include "core/hex.h"

static bool vin_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z' && c != 'I' && c != 'O' && c != 'Q');
}

enum vs_err pseudonym_of_vin(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice vin, uint8_t ret_vid[EV_VID_SIZE])
{
    uint8_t upper[VIN_LEN], mac[SHA256_SIZE];

    if (vin.len != VIN_LEN)
        return VS_ERR_MALFORMED;
    for (size_t i = 0; i < VIN_LEN; i++) {
        upper[i] = vin.ptr[i] >= 'a' && vin.ptr[i] <= 'z' ? (uint8_t)(vin.ptr[i] - 'a' + 'A') : vin.ptr[i];
        if (!vin_char(upper[i]))
            return VS_ERR_MALFORMED;
    }
    hmac_sha256(slice_make(key, PSEUDONYM_KEY_SIZE), slice_make(upper, sizeof upper), mac);
    memcpy(ret_vid, mac, EV_VID_SIZE);
    return VS_OK;
}

/* A prefix keeps the kinds apart: no feed and no owner ever has the pseudonym of a vehicle. */
static void pseudonym_of(const uint8_t key[PSEUDONYM_KEY_SIZE], const char *kind, struct slice name,
                         uint8_t ret[EV_VID_SIZE])
{
    uint8_t text[16 + EV_TEXT_LEN_MAX], mac[SHA256_SIZE];
    struct slice head = slice_head(name, EV_TEXT_LEN_MAX);
    size_t len = strlen(kind);

    memcpy(text, kind, len);
    if (head.len > 0)
        memcpy(text + len, head.ptr, head.len);
    hmac_sha256(slice_make(key, PSEUDONYM_KEY_SIZE), slice_make(text, len + head.len), mac);
    memcpy(ret, mac, EV_VID_SIZE);
}

void pseudonym_of_feed(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice feed, uint8_t ret_vid[EV_VID_SIZE])
{
    pseudonym_of(key, "feed:", feed, ret_vid);
}

void pseudonym_of_owner(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice owner, uint8_t ret_id[EV_VID_SIZE])
{
    pseudonym_of(key, "owner:", owner, ret_id);
}

/* By way of a digest, since a token may be longer than what goes into one pseudonym, and tokens begin alike. */
void pseudonym_of_account(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice account, uint8_t ret_id[EV_VID_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    sha256(account, digest);
    pseudonym_of(key, "account:", slice_make(digest, sizeof digest), ret_id);
}

bool pseudonym_is_account_field(struct slice name)
{
    static const char *const FIELD[] = {"user", "target", "token", "contract", "key_fob"};

    for (size_t i = 0; i < sizeof FIELD / sizeof FIELD[0]; i++)
        if (slice_equal_str(name, FIELD[i]))
            return true;
    return false;
}

uint32_t pseudonym_feed_epoch(struct slice feed)
{
    uint8_t digest[SHA256_SIZE];
    uint32_t v;

    sha256(feed, digest);
    v = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
    return v | UINT32_C(1) << 31;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum vs_err pseudonym_key_read(struct slice text, uint8_t ret_key[PSEUDONYM_KEY_SIZE])
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text = slice_from(text, 1);
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return hex_read(text, ret_key, PSEUDONYM_KEY_SIZE) ? VS_OK : VS_ERR_CONFIG;
}
