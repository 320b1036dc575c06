#include "codec/asc_date.h"

#include "codec/line_scan.h"
#include "core/timestamp.h"
#include "core/writer.h"

/* The fewest letters that tell the months of five languages apart, in lower case; both spellings of umlauts and
 * accents. Longer ones come first where one is the beginning of another. */
static const struct {
    const char *name;
    uint8_t month;
} months[] = {
    {"jan", 1},
    {"ene", 1},
    {"gen", 1},
    {"feb", 2},
    {"f\xC3\xA9v", 2},
    {"f\xE9v", 2},
    {"mar", 3},
    {"m\xC3\xA4r", 3},
    {"m\xE4r", 3},
    {"mrz", 3},
    {"apr", 4},
    {"avr", 4},
    {"abr", 4},
    {"may", 5},
    {"mai", 5},
    {"mag", 5},
    {"juin", 6},
    {"jun", 6},
    {"giu", 6},
    {"juil", 7},
    {"jul", 7},
    {"lug", 7},
    {"aug", 8},
    {"ago", 8},
    {"ao\xC3\xBB", 8},
    {"ao\xFB", 8},
    {"sep", 9},
    {"set", 9},
    {"oct", 10},
    {"okt", 10},
    {"ott", 10},
    {"nov", 11},
    {"dec", 12},
    {"dez", 12},
    {"dic", 12},
    {"d\xC3\xA9"
     "c",
     12},
    {"d\xE9"
     "c",
     12},
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool starts_with(struct slice word, const char *name)
{
    size_t i = 0;

    while (name[i] != '\0' && i < word.len && lower(word.ptr[i]) == (uint8_t)name[i])
        i++;
    return name[i] == '\0';
}

static unsigned month_of(struct slice word)
{
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++)
        if (starts_with(word, months[i].name))
            return months[i].month;
    return 0;
}

static void put_two(struct writer *w, uint64_t v)
{
    writer_u8(w, (uint8_t)('0' + v / 10 % 10));
    writer_u8(w, (uint8_t)('0' + v % 10));
}

/* An hour of the twelve-hour clock; some writers put am behind an hour that is already of 24. */
static uint64_t hour_of_day(uint64_t hour, struct slice half)
{
    bool pm = starts_with(half, "pm");

    if (hour < 12)
        return pm ? hour + 12 : hour;
    return hour == 12 && starts_with(half, "am") ? 0 : hour;
}

static int64_t from_parts(uint64_t year, unsigned month, uint64_t day, uint64_t hour, uint64_t minute,
                          int64_t second_us)
{
    char text[32];
    struct writer w;
    int64_t us;

    if (year > 9999 || day > 31 || hour > 23 || minute > 59 || second_us >= 61 * US_PER_S)
        return -1;
    writer_init(&w, text, sizeof text);
    writer_u64_text(&w, year);
    writer_u8(&w, '-');
    put_two(&w, month);
    writer_u8(&w, '-');
    put_two(&w, day);
    writer_u8(&w, 'T');
    put_two(&w, hour);
    writer_u8(&w, ':');
    put_two(&w, minute);
    writer_text(&w, ":00Z");
    return timestamp_parse(writer_slice(&w), &us) ? us + second_us : -1;
}

/* [weekday] month day h:m:s[.f] [am|pm] year */
int64_t asc_date_us(struct slice text)
{
    struct line_scan s;

    line_scan_init(&s, text);
    line_scan_blanks(&s);
    unsigned month = 0;
    for (unsigned words = 0; words < 2 && month == 0; words++) {
        month = month_of(line_scan_word(&s));
        line_scan_blanks(&s);
        /* A weekday that looks like a month ("mar", "mag" ..) is followed by a word, a month by a number. */
        if (words == 0 && (line_scan_peek(&s) < '0' || line_scan_peek(&s) > '9'))
            month = 0;
    }
    uint64_t day = line_scan_number(&s, "expected the day");
    line_scan_blanks(&s);
    uint64_t hour = line_scan_number(&s, "expected the hour");
    (void)line_scan_char(&s, ':');
    uint64_t minute = line_scan_number(&s, "expected the minute");
    (void)line_scan_char(&s, ':');
    int64_t second_us = line_scan_seconds_us(&s, ".,");
    line_scan_blanks(&s);
    uint8_t c = line_scan_peek(&s);
    struct slice half = c >= '0' && c <= '9' ? slice_make(NULL, 0) : line_scan_word(&s);
    line_scan_blanks(&s);
    uint64_t year = line_scan_number(&s, "expected the year");
    return month != 0 && s.err == VS_OK ? from_parts(year, month, day, hour_of_day(hour, half), minute, second_us) : -1;
}
