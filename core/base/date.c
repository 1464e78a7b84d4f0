/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates as mail has them. Thirty years of clients wrote them in every order, so
   that a grammar would refuse too much: what stands there is read word by word,
   each word says by its form what it can be (a month, a time, a year ...), and
   the first that fits counts. */
#include "core/base/date.h"
#include "core/base/ascii.h"

#include <string.h>
#include <time.h>

enum {
	MINUTE = 60,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	ZONE_MAX = 14 * HOUR, /* RFC 9051 takes no more; none is in use */
	LENGTH_MAX = 512,     /* nobody's date is longer; it is junk behind */
};

enum zone_from { ZONE_UNKNOWN, ZONE_NAME, ZONE_NUMBER };

struct reading {
	const char *s;
	size_t at, n;
	int year, month, day;	  /* -1 until seen; months from 1 */
	int hour, minute, second; /* hour is -1 until a time is seen */
	int zone;		  /* seconds east of Greenwich */
	enum zone_from zone_from;
	bool dst;
	size_t month_end; /* where the month's name ended; 0 */
	size_t comment;	  /* behind the first '('; 0 */
};

static const char *const months[] = { "january", "february", "march",
				      "april",	 "may",	     "june",
				      "july",	 "august",   "september",
				      "october", "november", "december" };

/* Zone names of RFC 5322 (CST is America's there), and those that mailers in
   Europe, Asia and Oceania write. Single letters but Z mean nothing (RFC 5322
   section 4.3), and IST has three meanings. In minutes. */
static const struct {
	const char *name;
	int minutes;
} zones[] = {
	{ "UT", 0 },	  { "UTC", 0 },	    { "GMT", 0 },    { "Z", 0 },
	{ "EST", -300 },  { "EDT", -240 },  { "CST", -360 }, { "CDT", -300 },
	{ "MST", -420 },  { "MDT", -360 },  { "PST", -480 }, { "PDT", -420 },
	{ "AKST", -540 }, { "AKDT", -480 }, { "HST", -600 }, { "NST", -210 },
	{ "NDT", -150 },  { "AST", -240 },  { "ADT", -180 }, { "WET", 0 },
	{ "WEST", 60 },	  { "BST", 60 },    { "CET", 60 },   { "CEST", 120 },
	{ "MET", 60 },	  { "MEST", 120 },  { "MEZ", 60 },   { "MESZ", 120 },
	{ "EET", 120 },	  { "EEST", 180 },  { "MSK", 180 },  { "MSD", 240 },
	{ "HKT", 480 },	  { "SGT", 480 },   { "AWST", 480 }, { "JST", 540 },
	{ "KST", 540 },	  { "JDT", 600 },   { "AEST", 600 }, { "AEDT", 660 },
	{ "ACST", 570 },  { "ACDT", 630 },  { "NZST", 720 }, { "NZDT", 780 },
};

/* What Japanese dates put behind their numbers, in UTF-8, CP932 and EUC-JP. */
static const struct {
	const char *text;
	enum { UNIT_YEAR, UNIT_MONTH, UNIT_DAY } unit;
} units[] = {
	{ "\xE5\xB9\xB4", UNIT_YEAR }, { "\x94\x4E", UNIT_YEAR },
	{ "\xC7\xAF", UNIT_YEAR },     { "\xE6\x9C\x88", UNIT_MONTH },
	{ "\x8C\x8E", UNIT_MONTH },    { "\xB7\xEE", UNIT_MONTH },
	{ "\xE6\x97\xA5", UNIT_DAY },  { "\x93\xFA", UNIT_DAY },
	{ "\xC6\xFC", UNIT_DAY },
};

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t instant(int year, int month, int day, int64_t seconds)
{
	int64_t before = year - 1; /* whole years since the year 1 */
	int64_t days = before * 365 + before / 4 - before / 100 + before / 400 -
		       719162; /* from 0001-01-01 to 1970-01-01 */

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	return (days + day - 1) * DAY + seconds;
}

static char char_at(const struct reading *r, size_t at)
{
	return at < r->n ? r->s[at] : '\0';
}

/* Read digits at *at: their number, -1 if there are more than a number in a
   date can have. */
static int read_digits(const struct reading *r, size_t *at, size_t *len_r)
{
	size_t begin = *at;
	int value = 0;

	for (; ascii_is_digit(char_at(r, *at)); ++*at)
		if (*at - begin < 5)
			value = value * 10 + (r->s[*at] - '0');
	*len_r = *at - begin;
	return *len_r <= 5 ? value : -1;
}

/* Two digits (RFC 5322 draws the line at 50), three digits of programs that
   print tm_year, and 19103 of those that print "19" before it. */
static int whole_year(int year)
{
	if (year >= 19100 && year <= 19199)
		return year - 19000 + 1900;
	if (year >= 0 && year < 50)
		return year + 2000;
	if (year >= 50 && year < 1000)
		return year + 1900;
	return year >= 1900 && year <= 9999 ? year : -1;
}

static void see_year(struct reading *r, int year)
{
	if (r->year < 0)
		r->year = whole_year(year);
}

static void see_month(struct reading *r, int month)
{
	if (r->month < 0 && month >= 1 && month <= 12)
		r->month = month;
}

static void see_day(struct reading *r, int day)
{
	if (r->day < 0 && day >= 1 && day <= 31)
		r->day = day;
}

static void see_time(struct reading *r, int hour, int minute, int second)
{
	if (r->hour >= 0 || hour < 0 || hour > 24 || minute < 0 ||
	    minute > 59 || second < 0)
		return;
	r->hour = hour;
	r->minute = minute;
	r->second = second > 59 ? 59 : second; /* leap seconds and worse */
	if (hour == 24) {
		r->hour = 23;
		r->minute = r->second = 59;
	}
}

/* "hour:" stands at r->at. */
static void read_time(struct reading *r, int hour)
{
	int minute, second = 0;
	size_t len;

	r->at++;
	minute = read_digits(r, &r->at, &len);
	if (char_at(r, r->at) == ':' && ascii_is_digit(char_at(r, r->at + 1))) {
		r->at++;
		second = read_digits(r, &r->at, &len);
		if (char_at(r, r->at) == '.') {
			r->at++;
			read_digits(r, &r->at, &len);
		}
	}
	see_time(r, hour, minute, second);
}

/* Three numbers with one kind of mark between them. */
static void see_triple(struct reading *r, char mark, const int *v,
		       const size_t *len)
{
	bool month_first = mark == '/' && v[0] <= 12;

	if (len[0] > 2) {
		see_year(r, v[0]);
		see_month(r, v[1]);
		see_day(r, v[2]);
		return;
	}
	if (mark == '.' && len[2] < 3) {
		see_time(r, v[0], v[1], v[2]); /* 10.11.12 */
		return;
	}
	see_month(r, month_first ? v[0] : v[1]);
	see_day(r, month_first ? v[1] : v[0]);
	see_year(r, v[2]);
}

/* 10/13/95 (Netscape 2), 2004-09-07, 07.09.2004: the first number is read and
   r->at is at the mark. False, and nothing is read, if it is not that. */
static bool read_triple(struct reading *r, int first, size_t first_len)
{
	int v[3] = { first };
	size_t len[3] = { first_len }, at = r->at;
	char mark = char_at(r, at);

	if (mark != '-' && mark != '/' && mark != '.')
		return false;
	for (int i = 1; i < 3; i++) {
		if (char_at(r, at) != mark ||
		    !ascii_is_digit(char_at(r, at + 1)))
			return false;
		at++;
		v[i] = read_digits(r, &at, &len[i]);
	}
	r->at = at;
	see_triple(r, mark, v, len);
	return true;
}

static bool read_unit(struct reading *r, int value)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].text);

		if (r->n - r->at < len ||
		    memcmp(r->s + r->at, units[i].text, len))
			continue;
		r->at += len;
		if (units[i].unit == UNIT_YEAR)
			see_year(r, value);
		else if (units[i].unit == UNIT_MONTH)
			see_month(r, value);
		else
			see_day(r, value);
		return true;
	}
	return false;
}

static void read_number(struct reading *r)
{
	size_t len;
	int value = read_digits(r, &r->at, &len);

	if (char_at(r, r->at) == ':' && ascii_is_digit(char_at(r, r->at + 1)))
		read_time(r, len <= 2 ? value : -1);
	else if (read_triple(r, value, len) || read_unit(r, value))
		return;
	else if (len <= 2 && r->day < 0 && value >= 1 && value <= 31)
		r->day = value;
	else
		see_year(r, value);
}

/* "Sep", "Sept", "September". */
static int month_named(const char *word, size_t n)
{
	for (int i = 0; i < 12; i++)
		if (n >= 3 && n <= strlen(months[i]) &&
		    ascii_same_n(word, months[i], n))
			return i + 1;
	return -1;
}

static bool see_zone_name(struct reading *r, const char *word, size_t n)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (!ascii_same(word, n, zones[i].name))
			continue;
		if (r->zone_from == ZONE_UNKNOWN) {
			r->zone = zones[i].minutes * MINUTE;
			r->zone_from = ZONE_NAME;
		}
		return true;
	}
	return false;
}

static void read_word(struct reading *r)
{
	const char *word = r->s + r->at;
	size_t begin = r->at, n;
	int month;

	while (ascii_is_alpha(char_at(r, r->at)))
		r->at++;
	n = r->at - begin;
	month = month_named(word, n);
	if (month > 0) {
		see_month(r, month);
		r->month_end = r->at;
	} else if (r->hour < 0) {
		return;
	} else if (ascii_same(word, n, "PM")) {
		r->hour += r->hour < 12 ? 12 : 0;
	} else if (ascii_same(word, n, "AM")) {
		r->hour -= r->hour == 12 ? 12 : 0;
	} else if (ascii_same(word, n, "DST")) {
		r->dst = r->zone_from == ZONE_NAME; /* "MET DST", "EST-DST" */
	} else if (ascii_same(word, n, "remote")) {
		r->at = r->n; /* UUCP: " remote from host" */
	} else {
		see_zone_name(r, word, n);
	}
}

/* +0900, +09:00, +900, +9: seconds; 0 for what no zone is. */
static int zone_value(const struct reading *r, size_t *at)
{
	size_t len, more;
	int v = read_digits(r, at, &len), seconds;

	if (len <= 2 && char_at(r, *at) == ':' &&
	    ascii_is_digit(char_at(r, *at + 1))) {
		++*at;
		v = v * 100 + read_digits(r, at, &more);
		if (more != 2)
			return 0;
	} else if (len <= 2) {
		v *= 100;
	} else if (len > 4) {
		return 0;
	}
	seconds = v / 100 * HOUR + v % 100 * MINUTE;
	return v % 100 < 60 && seconds <= ZONE_MAX ? seconds : 0;
}

/* A sign is a zone's when a time came before; behind a month's name it is a
   dash: 10:11:12 7-Sep-2004. */
static void read_sign(struct reading *r)
{
	bool west = r->s[r->at] == '-';
	int zone;

	if (r->hour < 0 || r->month_end == r->at ||
	    r->zone_from == ZONE_NUMBER ||
	    !ascii_is_digit(char_at(r, r->at + 1))) {
		r->at++;
		return;
	}
	r->at++;
	zone = zone_value(r, &r->at);
	r->zone = west ? -zone : zone;
	r->zone_from = ZONE_NUMBER;
}

/* A backslash escapes nothing here: in CP932 it is the second half of many
   characters, and mailers wrote their zone's name as raw CP932. */
static void skip_comment(struct reading *r)
{
	size_t depth = 0;

	if (!r->comment)
		r->comment = r->at + 1;
	for (; r->at < r->n; r->at++) {
		if (r->s[r->at] == '(')
			depth++;
		if (r->s[r->at] == ')' && !--depth)
			break;
	}
	if (r->at < r->n)
		r->at++;
}

static bool is_complete(const struct reading *r)
{
	return r->year >= 0 && r->month >= 0 && r->day >= 0 && r->hour >= 0 &&
	       r->zone_from == ZONE_NUMBER;
}

/* No zone but in a comment: "(JST)", "(GMT+09:00)". */
static void read_zone_comment(struct reading *r)
{
	size_t begin;

	r->at = r->comment;
	while (r->at < r->n && r->s[r->at] != ')' &&
	       r->zone_from != ZONE_NUMBER) {
		char c = r->s[r->at];

		begin = r->at;
		if (c == '+' || c == '-') {
			read_sign(r);
			continue;
		}
		while (ascii_is_alpha(char_at(r, r->at)))
			r->at++;
		if (r->at > begin)
			see_zone_name(r, r->s + begin, r->at - begin);
		else
			r->at++;
	}
}

static struct reading read_words(const char *s, size_t n)
{
	struct reading r = { .s = s,
			     .n = n < LENGTH_MAX ? n : LENGTH_MAX,
			     .year = -1,
			     .month = -1,
			     .day = -1,
			     .hour = -1 };

	while (r.at < r.n && !is_complete(&r)) {
		char c = s[r.at];

		if (ascii_is_digit(c))
			read_number(&r);
		else if (ascii_is_alpha(c))
			read_word(&r);
		else if (c == '+' || c == '-')
			read_sign(&r);
		else if (c == '(')
			skip_comment(&r);
		else
			r.at++;
	}
	if (r.comment && r.hour >= 0 && r.zone_from == ZONE_UNKNOWN)
		read_zone_comment(&r);
	return r;
}

static int64_t to_instant(const struct reading *r)
{
	int day = r->day, last;
	int64_t seconds = 0;

	if (r->year < 0 || r->month < 0 || day < 0)
		return DATE_NONE;
	last = days_in_month(r->year, r->month);
	if (day > last)
		day = last;
	if (r->hour >= 0)
		seconds = r->hour * HOUR + r->minute * MINUTE + r->second -
			  r->zone - (r->dst ? HOUR : 0);
	return instant(r->year, r->month, day, seconds);
}

int64_t date_parse(const char *s, size_t n)
{
	struct reading r = read_words(s, n);

	return to_instant(&r);
}

static bool is_weekday(const char *word, size_t n)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed",
					    "thu", "fri", "sat" };

	for (int i = 0; i < 7; i++)
		if (n >= 3 && ascii_same_n(word, days[i], 3))
			return true;
	return false;
}

/* Whether a separator's date may begin with this word. Without a weekday the
   word has to be a month or a number as a whole: senders hold all sorts of
   things. */
static bool may_begin_date(const char *word, size_t n, bool weekday)
{
	size_t i = 0;

	if (n && word[n - 1] == ',')
		n--;
	if (weekday)
		return is_weekday(word, n) &&
		       (n == 3 ||
			(n <= 9 && ascii_same_n(word + n - 3, "day", 3)));
	if (month_named(word, n) > 0)
		return true;
	while (i < n && (ascii_is_digit(word[i]) || strchr("/-.:", word[i])))
		i++;
	return n && i == n;
}

static int64_t separator_date(const char *s, size_t n, bool weekday)
{
	size_t begin = 0;

	for (size_t i = 0; i <= n; i++) {
		struct reading r;

		if (i < n && s[i] != ' ' && s[i] != '\t')
			continue;
		if (may_begin_date(s + begin, i - begin, weekday)) {
			r = read_words(s + begin, n - begin);
			if (r.hour >= 0 && to_instant(&r) != DATE_NONE)
				return to_instant(&r);
		}
		begin = i + 1;
	}
	return DATE_NONE;
}

int64_t date_parse_asctime(const char *s, size_t n)
{
	int64_t t;

	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	if (n > LENGTH_MAX)
		n = LENGTH_MAX;
	t = separator_date(s, n, true);
	return t != DATE_NONE ? t : separator_date(s, n, false);
}

/* Exactly len digits at *s, which moves on; -1 if they are not there. */
static int iso_number(const char **s, int len)
{
	int value = 0;

	for (int i = 0; i < len; i++, ++*s) {
		if (!ascii_is_digit(**s))
			return -1;
		value = value * 10 + (**s - '0');
	}
	return value;
}

static bool iso_mark(const char **s, char mark)
{
	if (**s != mark)
		return false;
	++*s;
	return true;
}

/* "Z", "+09:00", "+0900" or nothing, and then the end. */
static bool iso_zone(const char *s, int *zone_r)
{
	bool west = *s == '-';
	int hour, minute;

	*zone_r = 0;
	if (iso_mark(&s, 'Z') || !*s)
		return !*s;
	if (!iso_mark(&s, west ? '-' : '+'))
		return false;
	hour = iso_number(&s, 2);
	iso_mark(&s, ':');
	minute = hour < 0 ? -1 : iso_number(&s, 2);
	if (hour > 14 || minute < 0 || minute > 59 || *s)
		return false;
	*zone_r = (hour * HOUR + minute * MINUTE) * (west ? -1 : 1);
	return true;
}

int64_t date_parse_iso(const char *s)
{
	int year, month, day, hour = 0, minute = 0, second = 0, zone = 0;

	year = iso_number(&s, 4);
	if (year < 1 || !iso_mark(&s, '-'))
		return DATE_NONE;
	month = iso_number(&s, 2);
	if (month < 1 || month > 12 || !iso_mark(&s, '-'))
		return DATE_NONE;
	day = iso_number(&s, 2);
	if (day < 1 || day > days_in_month(year, month))
		return DATE_NONE;
	if (*s) {
		if (!iso_mark(&s, 'T') || (hour = iso_number(&s, 2)) < 0 ||
		    !iso_mark(&s, ':') || (minute = iso_number(&s, 2)) < 0)
			return DATE_NONE;
		if (iso_mark(&s, ':'))
			second = iso_number(&s, 2);
		if (second < 0 || !iso_zone(s, &zone) || hour > 23 ||
		    minute > 59 || second > 59)
			return DATE_NONE;
	}
	return instant(year, month, day,
		       hour * HOUR + minute * MINUTE + second - zone);
}

bool date_plausible(int64_t t, int64_t now)
{
	return t >= DAY && t <= now + 2 * DAY;
}

static void broken_down(int64_t t, struct tm *tm)
{
	time_t seconds = (time_t)t;

	/* Fails for years that no date here can have. */
	if (!gmtime_r(&seconds, tm)) {
		seconds = 0;
		gmtime_r(&seconds, tm);
	}
}

void date_add_imap(struct buf *out, int64_t t)
{
	struct tm tm;

	broken_down(t, &tm);
	buf_addf(out, "%02d-%c%.2s-%04d %02d:%02d:%02d +0000", tm.tm_mday,
		 months[tm.tm_mon][0] - 'a' + 'A', months[tm.tm_mon] + 1,
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void date_add_iso(struct buf *out, int64_t t)
{
	struct tm tm;

	broken_down(t, &tm);
	buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void date_add_local(struct buf *out, int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (!localtime_r(&when, &tm)) {
		date_add_iso(out, t);
		return;
	}
	buf_addf(out, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}

int64_t date_choose(const struct date_evidence *ev, int64_t now)
{
	const int64_t chain[] = {
		ev->sent_folder ? ev->date : DATE_NONE,
		ev->delivered,
		ev->received,
		ev->delivery,
		ev->resent,
		ev->date,
		ev->downloaded,
		ev->file,
	};

	for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++)
		if (date_plausible(chain[i], now))
			return chain[i];
	return DATE_NONE;
}
