/*
 * Durations and points in time as text. No libc calendar: that depends on
 * locale and time zone.
 */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define DAY_S 86400

int64_t text_duration_ms(const char *s)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	int64_t v = 0;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > (INT64_MAX - (*s - '0')) / 10)
			return -1;
		v = v * 10 + (*s - '0');
	}
	if (v == 0 && !*s)
		return 0;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(s, units[i].unit) == 0)
			return v > INT64_MAX / units[i].ms ? -1 : v * units[i].ms;
	return -1;
}

char *text_duration(struct arena *a, int64_t ms)
{
	static const struct {
		const char *name, *sub_name;
		int64_t s, sub_s;
	} rows[] = {{"d", "h", DAY_S, 3600}, {"h", "min", 3600, 60}, {"min", "s", 60, 1}};
	int64_t s = ms / 1000;

	if (ms <= 0)
		return arena_strdup(a, "0 s");
	if (ms < 1000)
		return arena_printf(a, "%" PRId64 " ms", ms);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t sub = s % rows[i].s / rows[i].sub_s;

		if (s < rows[i].s)
			continue;
		if (!sub)
			return arena_printf(a, "%" PRId64 " %s", s / rows[i].s, rows[i].name);
		return arena_printf(a, "%" PRId64 " %s %" PRId64 " %s", s / rows[i].s, rows[i].name,
		                    sub, rows[i].sub_name);
	}
	return arena_printf(a, "%" PRId64 " s", s);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from 1 March, so
 * that the leap day is the last of its year; 146097 days make 400 years. y >= 1. */
static int64_t days_from_date(int64_t y, int64_t m, int64_t d)
{
	int64_t in_year;

	if (m <= 2)
		y--;
	in_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

void text_utc(int64_t epoch_s, char out[21])
{
	/* Years 0000 to 9999 fit the form. */
	const int64_t first = -62167219200, last = 253402300799;
	int64_t days, sec, era, in_era, y, in_year, mp, d, m;

	if (epoch_s < first)
		epoch_s = first;
	if (epoch_s > last)
		epoch_s = last;
	days = epoch_s / DAY_S;
	sec = epoch_s % DAY_S;
	if (sec < 0) {
		sec += DAY_S;
		days--;
	}
	days += 719468 + 146097; /* one era more: year 0 begins before its 1 March */
	era = days / 146097;
	in_era = days % 146097;
	y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * y + y / 4 - y / 100);
	mp = (5 * in_year + 2) / 153;
	d = in_year - (153 * mp + 2) / 5 + 1;
	m = mp < 10 ? mp + 3 : mp - 9;
	y += (era - 1) * 400 + (m <= 2 ? 1 : 0);

	for (int i = 0; i < 20; i++)
		out[i] = "0000-00-00T00:00:00Z"[i];
	out[20] = '\0';
	for (int i = 3; i >= 0; i--, y /= 10)
		out[i] = (char)('0' + y % 10);
	{
		const int64_t two[] = {m, d, sec / 3600, sec / 60 % 60, sec % 60};

		for (int i = 0; i < 5; i++) {
			out[5 + 3 * i] = (char)('0' + two[i] / 10);
			out[6 + 3 * i] = (char)('0' + two[i] % 10);
		}
	}
}

/* n digits at s, or -1. */
static int digits(const char *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* Seconds since the epoch, or -1 where a part is out of its range. */
static int64_t epoch_of(int y, int mo, int d, int h, int mi, int s)
{
	static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int max_d;

	if (y < 1970 || mo < 1 || mo > 12 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 ||
	    s > 59)
		return -1;
	max_d = month_days[mo - 1];
	if (mo == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		max_d = 29;
	if (d < 1 || d > max_d)
		return -1;
	return days_from_date(y, mo, d) * DAY_S + h * 3600 + mi * 60 + s;
}

int64_t text_utc_parse(const char *s)
{
	const char *rest;

	/* Checked left to right up to the seconds: a short text stops at its NUL. */
	for (size_t i = 0; i < 19; i++) {
		char want = "dddd-dd-ddTdd:dd:dd"[i];

		if (want == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != want)
			return -1;
	}
	rest = s + 19;
	if (*rest == '.') {
		rest++;
		if (*rest < '0' || *rest > '9')
			return -1;
		while (*rest >= '0' && *rest <= '9')
			rest++;
	}
	if (strcmp(rest, "Z") != 0)
		return -1;
	return epoch_of(digits(s, 4), digits(s + 5, 2), digits(s + 8, 2), digits(s + 11, 2),
	                digits(s + 14, 2), digits(s + 17, 2));
}

int64_t text_http_date_parse(const char *s)
{
	static const char wdays[] = "MonTueWedThuFriSatSun",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int wday = -1, month = -1;

	/* "Wed, 25 Nov 2026 17:12:00 GMT" */
	if (strlen(s) != 29 || memcmp(s + 3, ", ", 2) != 0 || s[7] != ' ' || s[11] != ' ' ||
	    s[16] != ' ' || s[19] != ':' || s[22] != ':' || strcmp(s + 25, " GMT") != 0)
		return -1;
	for (int i = 0; i < 7; i++)
		if (memcmp(s, wdays + 3 * i, 3) == 0)
			wday = i;
	for (int i = 0; i < 12; i++)
		if (memcmp(s + 8, months + 3 * i, 3) == 0)
			month = i + 1;
	if (wday < 0 || month < 0)
		return -1;
	return epoch_of(digits(s + 12, 4), month, digits(s + 5, 2), digits(s + 17, 2),
	                digits(s + 20, 2), digits(s + 23, 2));
}
