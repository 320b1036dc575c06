/* Three steps: read digits D and a power E of ten; if both are small, one multiplication or division of doubles is
 * exact enough to be correctly rounded; else divide whole numbers of thousands of bits.
 *
 * A double halfway between two others has at most 767 significant digits, so that 800 digits and a mark for more decide
 * every rounding. With D below 10^801 and a result above 10^-345 the numbers stay below 10^1146, that is 3,808 bits. */
#include "codec/decimal.h"

#include <assert.h>
#include <math.h>

#define DIGITS_MAX 800
#define BIG_WORDS  128
#define POWER_MAX  1000000 /* beyond this a number is zero or too big, and adding digits cannot change that */

struct decimal {
    bool negative;
    uint8_t digits[DIGITS_MAX + 1]; /* without leading zeros */
    int count;
    int power; /* of ten, behind the last digit */
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits behind the 800th only matter by being there: any that is not zero leaves a 1 as the 801st. */
static void add_digit(struct decimal *d, uint8_t digit)
{
    if (d->count == 0 && digit == 0)
        return;
    if (d->count < DIGITS_MAX) {
        d->digits[d->count++] = digit;
        return;
    }
    d->power++;
    if (digit != 0 && d->count == DIGITS_MAX) {
        d->digits[d->count++] = 1;
        d->power--;
    }
}

static bool read_power(struct slice text, size_t *at, int *ret)
{
    bool negative = false;
    int power = 0;

    if (*at < text.len && (text.ptr[*at] == '+' || text.ptr[*at] == '-'))
        negative = text.ptr[(*at)++] == '-';
    if (*at == text.len)
        return false;
    for (; *at < text.len && is_digit(text.ptr[*at]); (*at)++)
        if (power < POWER_MAX)
            power = power * 10 + (text.ptr[*at] - '0');
    *ret = negative ? -power : power;
    return true;
}

static bool read_digits(struct slice text, struct decimal *d)
{
    size_t at = 0;
    int power = 0, behind_point = 0;

    memset(d, 0, sizeof *d);
    if (text.len > POWER_MAX)
        return false;
    if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
        d->negative = text.ptr[at++] == '-';
    if (at == text.len || !is_digit(text.ptr[at]))
        return false;
    for (; at < text.len && is_digit(text.ptr[at]); at++)
        add_digit(d, text.ptr[at] - '0');
    if (at < text.len && text.ptr[at] == '.')
        for (at++; at < text.len && is_digit(text.ptr[at]); at++, behind_point++)
            add_digit(d, text.ptr[at] - '0');
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        if (!read_power(text, &at, &power))
            return false;
    }
    d->power += power - behind_point;
    for (; d->count > 0 && d->digits[d->count - 1] == 0; d->count--)
        d->power++;
    return at == text.len;
}

/* Up to 15 digits and powers up to 10^22 are doubles themselves, so one operation on them rounds once. */
static bool read_small(const struct decimal *d, double *ret)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t v = 0;

    if (d->count > 15 || d->power < -22 || d->power > 22)
        return false;
    for (int i = 0; i < d->count; i++)
        v = v * 10 + d->digits[i];
    *ret = d->power < 0 ? (double)v / tens[-d->power] : (double)v * tens[d->power];
    return true;
}

/* A natural number, least significant word first; words from `count` on are zero. */
struct big {
    uint32_t word[BIG_WORDS];
    int count;
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        assert(b->count < BIG_WORDS);
        b->word[b->count++] = (uint32_t)carry;
    }
}

static void big_times_ten(struct big *b, int power)
{
    for (; power >= 9; power -= 9)
        big_multiply_add(b, 1000000000, 0);
    for (; power > 0; power--)
        big_multiply_add(b, 10, 0);
}

static int big_bits(const struct big *b)
{
    return b->count == 0 ? 0 : b->count * 32 - __builtin_clz(b->word[b->count - 1]);
}

static void big_shift_left(struct big *b, int bits)
{
    int words = bits / 32;

    assert(b->count + words < BIG_WORDS);
    for (int i = b->count - 1; i >= 0; i--)
        b->word[i + words] = b->word[i];
    for (int i = 0; i < words; i++)
        b->word[i] = 0;
    b->count += words;
    if (bits % 32 != 0)
        big_multiply_add(b, UINT32_C(1) << bits % 32, 0);
}

static void big_halve(struct big *b)
{
    for (int i = 0; i < b->count; i++)
        b->word[i] = b->word[i] >> 1 | (i + 1 < b->count ? b->word[i + 1] << 31 : 0);
    if (b->count > 0 && b->word[b->count - 1] == 0)
        b->count--;
}

/* Takes b from a when it is not the greater one. */
static bool big_subtract_if(struct big *a, const struct big *b)
{
    int64_t borrow = 0;
    int i = a->count - 1;

    if (a->count < b->count)
        return false;
    while (a->count == b->count && i >= 0 && a->word[i] == b->word[i])
        i--;
    if (a->count == b->count && i >= 0 && a->word[i] < b->word[i])
        return false;
    for (i = 0; i < a->count; i++) {
        borrow += (int64_t)a->word[i] - (i < b->count ? b->word[i] : 0);
        a->word[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->count > 0 && a->word[a->count - 1] == 0)
        a->count--;
    return true;
}

/* The first 63 or 64 bits of a / b as an integer, with the power of two behind them; what is left stays in a. */
static uint64_t big_divide(struct big *a, struct big *b, int *ret_power)
{
    int shift = 63 - (big_bits(a) - big_bits(b));
    uint64_t q = 0;

    if (shift > 0)
        big_shift_left(a, shift);
    else
        big_shift_left(b, -shift);
    big_shift_left(b, 63);
    for (int i = 0; i < 64; i++) {
        q = q << 1 | big_subtract_if(a, b);
        big_halve(b);
    }
    *ret_power = -shift;
    return q;
}

/* q * 2^power and a little more if `more`, to the nearest double. Below 2^-1022 fewer than 53 bits are left to it. */
static double round_to_real(uint64_t q, int power, bool more)
{
    int bits = 64 - __builtin_clzll(q);
    int top = bits - 1 + power;
    int precision = top >= -1022 ? 53 : 53 - (-1022 - top);
    int cut = bits - precision;

    if (cut > 64)
        return 0;
    uint64_t kept = cut == 64 ? 0 : q >> cut;
    uint64_t rest = cut == 64 ? q : q & ((UINT64_C(1) << cut) - 1);
    uint64_t half = UINT64_C(1) << (cut - 1);
    if (rest > half || (rest == half && (more || (kept & 1) != 0)))
        kept++;
    return ldexp((double)kept, power + cut);
}

static double read_big(const struct decimal *d)
{
    struct big a = {{0}, 0}, b = {{1}, 1};
    int power;

    for (int i = 0; i < d->count; i++)
        big_multiply_add(&a, 10, d->digits[i]);
    big_times_ten(d->power >= 0 ? &a : &b, d->power >= 0 ? d->power : -d->power);
    uint64_t q = big_divide(&a, &b, &power);
    return round_to_real(q, power, a.count > 0);
}

bool decimal_read(struct slice text, double *ret)
{
    struct decimal d;
    double v = 0;

    if (!read_digits(text, &d))
        return false;
    if (d.count > 0 && d.count + d.power > 310)
        return false;
    if (d.count > 0 && d.count + d.power >= -345 && !read_small(&d, &v))
        v = read_big(&d);
    if (!isfinite(v))
        return false;
    *ret = d.negative ? -v : v;
    return true;
}
