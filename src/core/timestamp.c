#include "core/timestamp.h"

/* Days since 1970-01-01 of a proleptic Gregorian date. The year is taken to begin in March, so that the leap day is the
 * last one of it and a month's first day is a linear function of its number. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Takes exactly n digits at *pos. */
static bool take_digits(struct slice text, size_t *pos, size_t n, int64_t *ret)
{
    int64_t v = 0;

    if (n > text.len - *pos)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = text.ptr[*pos + i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *pos += n;
    *ret = v;
    return true;
}

static bool take_char(struct slice text, size_t *pos, const char *any)
{
    if (*pos >= text.len || text.ptr[*pos] == 0 || strchr(any, text.ptr[*pos]) == NULL)
        return false;
    (*pos)++;
    return true;
}

static bool take_date(struct slice text, size_t *pos, int64_t *ret_days)
{
    int64_t year = 0, month = 0, day = 0;

    if (!take_digits(text, pos, 4, &year) || !take_char(text, pos, "-") || !take_digits(text, pos, 2, &month) ||
        !take_char(text, pos, "-") || !take_digits(text, pos, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_from_civil(year, month, day);
    return true;
}

static bool take_fraction(struct slice text, size_t *pos, int64_t *ret_us)
{
    int64_t us = 0;
    unsigned digits = 0;

    *ret_us = 0;
    if (!take_char(text, pos, "."))
        return true;
    for (; *pos < text.len && text.ptr[*pos] >= '0' && text.ptr[*pos] <= '9'; (*pos)++, digits++)
        if (digits < 6)
            us = us * 10 + (text.ptr[*pos] - '0');
    if (digits == 0 || digits > 9)
        return false;
    for (; digits < 6; digits++)
        us *= 10;
    *ret_us = us;
    return true;
}

static bool take_offset(struct slice text, size_t *pos, int64_t *ret_s)
{
    int64_t hours = 0, minutes = 0;

    *ret_s = 0;
    if (take_char(text, pos, "Zz"))
        return true;
    if (*pos >= text.len)
        return false;
    bool minus = text.ptr[*pos] == '-';
    if (!take_char(text, pos, "+-") || !take_digits(text, pos, 2, &hours) || !take_char(text, pos, ":") ||
        !take_digits(text, pos, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_s = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
    return true;
}

bool timestamp_parse(struct slice text, int64_t *ret_us)
{
    size_t pos = 0;
    int64_t days = 0, hour = 0, minute = 0, second = 0, fraction_us = 0, offset_s = 0;

    if (!take_date(text, &pos, &days) || !take_char(text, &pos, "Tt ") || !take_digits(text, &pos, 2, &hour) ||
        !take_char(text, &pos, ":") || !take_digits(text, &pos, 2, &minute) || !take_char(text, &pos, ":") ||
        !take_digits(text, &pos, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(text, &pos, &fraction_us) || !take_offset(text, &pos, &offset_s) || pos != text.len)
        return false;
    int64_t utc_s = days * 86400 + hour * 3600 + minute * 60 + second - offset_s;
    /* A leap second ends a UTC day, so that it reads as the first second of the next one. */
    if (second == 60 && utc_s % 86400 != 0)
        return false;
    int64_t us = utc_s * US_PER_S + fraction_us;
    if (us < 0 || us > TIMESTAMP_US_MAX)
        return false;
    *ret_us = us;
    return true;
}

/* Decimal digits of v into n places. */
static void put_digits(uint8_t *place, size_t n, int64_t v)
{
    for (size_t i = n; i-- > 0; v /= 10)
        place[i] = (uint8_t)('0' + v % 10);
}

void timestamp_write(struct writer *w, int64_t us)
{
    uint8_t text[TIMESTAMP_TEXT_LEN + 1] = "yyyy-mm-ddThh:mm:ss.uuuuuuZ";
    int64_t t = us < 0 ? 0 : us > TIMESTAMP_US_MAX ? TIMESTAMP_US_MAX : us;
    int64_t days = t / (86400 * US_PER_S);
    int64_t rest_us = t % (86400 * US_PER_S);
    /* The inverse of days_from_civil, on days counted from 0000-03-01. */
    int64_t z = days + 719468;
    int64_t era = z / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    put_digits(text, 4, year_of_era + era * 400 + (month <= 2));
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day_of_year - (153 * month_from_march + 2) / 5 + 1);
    put_digits(text + 11, 2, rest_us / (3600 * US_PER_S));
    put_digits(text + 14, 2, rest_us / (60 * US_PER_S) % 60);
    put_digits(text + 17, 2, rest_us / US_PER_S % 60);
    put_digits(text + 20, 6, rest_us % US_PER_S);
    writer_bytes(w, text, TIMESTAMP_TEXT_LEN);
}
