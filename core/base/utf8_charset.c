/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in other charsets: by name, by guess, and ISO-2022-JP by hand. Whatever
   goes in, valid UTF-8 comes out. */
#include "core/base/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8_private.h"

static bool is_cp932_lead(unsigned char b)
{
	return (b >= 0x81 && b <= 0x9F) || (b >= 0xE0 && b <= 0xFC);
}

static bool is_cp932_trail(unsigned char b)
{
	return b >= 0x40 && b <= 0xFC && b != 0x7F;
}

/* How much of s to give up as one character that does not convert. */
static size_t bad_length(bool cp932, const char *s, size_t n)
{
	return cp932 && n > 1 && is_cp932_lead(byte_at(s, 0)) &&
			       is_cp932_trail(byte_at(s, 1))
		       ? 2
		       : 1;
}

/* Convert s by iconv and append the result. Returns how many characters did not
   fit (each became U+FFFD), or -1 if the C library does not know the charset.
 */
static long convert(struct buf *out, const char *charset, const char *s,
		    size_t n)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	bool cp932 = !strcmp(charset, "CP932"), flushed = false;
	struct buf raw = BUF_INIT;
	char *in = (char *)s; /* iconv's prototype; it only reads */
	long bad = 0;

	if ((intptr_t)cd == -1)
		return -1;
	while (!flushed) {
		char bytes[1024], *to = bytes;
		size_t room = sizeof(bytes), got;

		/* With no input left, what it still holds back comes out. */
		flushed = !n;
		got = n ? iconv(cd, &in, &n, &to, &room)
			: iconv(cd, NULL, NULL, &to, &room);
		buf_add(&raw, bytes, sizeof(bytes) - room);
		if (got != (size_t)-1)
			continue;
		if (errno == E2BIG && room < sizeof(bytes)) {
			flushed = false;
			continue;
		}
		bad++;
		buf_add_str(&raw, UTF8_REPLACEMENT);
		if (n) {
			size_t skip =
				errno == EINVAL ? n : bad_length(cp932, in, n);

			in += skip;
			n -= skip;
		}
	}
	iconv_close(cd);
	utf8_add_repaired(out, raw.data,
			  raw.len); /* not all of its tables are strict */
	buf_free(&raw);
	return bad;
}

/* ISO-2022-JP is read as Windows' CP50221 does it, since that is what the label
   meant in mail: NEC's and IBM's characters in the double-byte set, and
   half-width kana by escape sequence, by SO/SI or as raw bytes. The C library
   has no such charset, but it has CP932, which is the same set in another
   arrangement. */
size_t utf8_jis_escape(const char *s, size_t n, enum jis_set *set_r)
{
	static const struct {
		const char *text;
		enum jis_set set;
	} known[] = {
		{ "\033(B", JIS_ASCII },  { "\033(J", JIS_ASCII },
		{ "\033(H", JIS_ASCII },  { "\033(I", JIS_KANA },
		{ "\033$@", JIS_KANJI },  { "\033$B", JIS_KANJI },
		{ "\033$(@", JIS_KANJI }, { "\033$(B", JIS_KANJI },
		{ "\033&@", JIS_ASCII },  { "\033$(D", JIS_SUPPLEMENT },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].text);

		if (len > n || memcmp(s, known[i].text, len) != 0)
			continue;
		*set_r = known[i].set;
		return len;
	}
	return 0;
}

static void jis_flush(struct buf *out, struct buf *run, bool supplement)
{
	if (run->len && convert(out, supplement ? "EUC-JP" : "CP932", run->data,
				run->len) < 0)
		buf_add_str(out, UTF8_REPLACEMENT);
	buf_reset(run);
}

static void jis_add_pair(struct buf *run, unsigned char a, unsigned char b,
			 bool supplement)
{
	unsigned lead = (unsigned)(a - 0x21) / 2 + 0x81;

	if (supplement) {
		buf_add_char(run, '\x8F');
		buf_add_char(run, (char)(a | 0x80));
		buf_add_char(run, (char)(b | 0x80));
		return;
	}
	buf_add_char(run, (char)(lead > 0x9F ? lead + 0x40 : lead));
	buf_add_char(run, (char)(a % 2 ? b + 0x1F + (b > 0x5F) : b + 0x7E));
}

static bool is_94(unsigned char b)
{
	return b >= 0x21 && b <= 0x7E;
}

/* Append one character of the set, which is at s, to run. Returns its length,
   or 0 if it is none. */
static size_t jis_character(struct buf *run, enum jis_set set, const char *s,
			    size_t n)
{
	unsigned char b = byte_at(s, 0);

	if (b <= 0x20 || b == 0x7F || (set == JIS_ASCII && b < 0x80)) {
		buf_add_char(run, (char)b);
		return 1;
	}
	if (set == JIS_KANA && b <= 0x5F) {
		buf_add_char(run, (char)(b | 0x80));
		return 1;
	}
	if (b >= 0x80) { /* raw kana, or Shift_JIS under a false name */
		size_t len = bad_length(true, s, n);

		buf_add(run, s, len);
		return len;
	}
	if (set == JIS_KANA || n < 2 || !is_94(byte_at(s, 1)))
		return 0;
	jis_add_pair(run, b, byte_at(s, 1), set == JIS_SUPPLEMENT);
	return 2;
}

void utf8_jis_add(struct buf *out, const char *s, size_t n)
{
	struct buf run = BUF_INIT;
	enum jis_set set = JIS_ASCII, before_so = JIS_ASCII;

	for (size_t i = 0, len; i < n; i += len) {
		enum jis_set next = set;
		unsigned char b = byte_at(s, i);

		len = utf8_jis_escape(s + i, n - i, &next);
		if (!len && (b == 0x0E || b == 0x0F)) {
			if (b == 0x0E)
				before_so = set;
			next = b == 0x0E ? JIS_KANA : before_so;
			len = 1;
		}
		/* Lines begin in ASCII: a cut line damages only itself. */
		if (!len && (b == '\n' || b == '\r'))
			next = before_so = JIS_ASCII;
		if ((next == JIS_SUPPLEMENT) != (set == JIS_SUPPLEMENT))
			jis_flush(out, &run, set == JIS_SUPPLEMENT);
		set = next;
		if (len)
			continue;
		len = jis_character(&run, set, s + i, n - i);
		if (len)
			continue;
		jis_flush(out, &run, set == JIS_SUPPLEMENT);
		buf_add_str(out, UTF8_REPLACEMENT);
		len = 1;
	}
	jis_flush(out, &run, set == JIS_SUPPLEMENT);
	buf_free(&run);
}

bool utf8_jis_likely(const char *s, size_t n)
{
	const char *end = s + n, *esc;
	enum jis_set set;

	for (; s < end && (esc = memchr(s, '\033', (size_t)(end - s)));
	     s = esc + 1)
		if (utf8_jis_escape(esc, (size_t)(end - esc), &set) &&
		    set != JIS_ASCII)
			return true;
	return false;
}

/* How well s reads as EUC-JP: higher is better; -1 if it is not. Counted are
   the characters Japanese names are made of; the rest speaks against. */
static long euc_score(const char *s, size_t n)
{
	long score = 0;

	for (size_t i = 0; i < n;) {
		unsigned char b = byte_at(s, i);
		unsigned char c = i + 1 < n ? byte_at(s, i + 1) : 0;

		if (b < 0x80) {
			i++;
			continue;
		}
		if (b == 0x8F && c >= 0xA1 && c != 0xFF && i + 2 < n &&
		    byte_at(s, i + 2) >= 0xA1 && byte_at(s, i + 2) != 0xFF) {
			i += 3;
			continue;
		}
		if (b == 0x8E ? c < 0xA1 || c > 0xDF
			      : b < 0xA1 || b == 0xFF || c < 0xA1 || c == 0xFF)
			return -1;
		if (b == 0xA4 || b == 0xA5)
			score += 4; /* hiragana, katakana */
		else if ((b >= 0xA1 && b <= 0xA3) || (b >= 0xB0 && b <= 0xCF))
			score += 2; /* punctuation, letters, kanji of level 1 */
		i += 2;
	}
	return score;
}

/* The same for one character of CP932 of two bytes. */
static long cp932_pair_score(unsigned char b, unsigned char c)
{
	if ((b == 0x82 && c >= 0x9F) || (b == 0x83 && c <= 0x96))
		return 4;
	if (b == 0x81 || b == 0x82 || (b >= 0x88 && b <= 0x97) ||
	    (b == 0x98 && c <= 0x72))
		return 2;
	return 0;
}

static bool is_half_kana(unsigned char b)
{
	return b >= 0xA1 && b <= 0xDF;
}

/* Whether the half-width kana b can follow the one before it (0: none) in a
   word: only some kana take a voice mark or a small kana. */
static bool kana_follows(unsigned char b, unsigned char before)
{
	if (b == 0xDE) /* the voice mark */
		return before == 0xB3 || (before >= 0xB6 && before <= 0xC4) ||
		       (before >= 0xCA && before <= 0xCE);
	if (b == 0xDF) /* the half voice mark */
		return before >= 0xCA && before <= 0xCE;
	if (b == 0xB0 || b == 0xAF) /* the long mark, small tu */
		return before >= 0xA7;
	if (before == 0xDE || before == 0xDF)
		return true;
	if (b >= 0xAC && b <= 0xAE) /* small ya, yu, yo */
		return before &&
		       strchr("\xB7\xBC\xC1\xC3\xC6\xCB\xCC\xD0\xD8", before);
	if (b >= 0xA7 && b <= 0xAB) /* small a to o */
		return before &&
		       strchr("\xB2\xB3\xB8\xBC\xC1\xC2\xC3\xC4\xCC", before);
	return b > 0xA5;
}

/* A run of half-width kana. The same bytes may be kanji in EUC-JP; what tells
   them apart is that kana of real words have voice marks, long marks and small
   kana, and these only in their places, and little punctuation. */
static long half_kana_score(const char *s, size_t n)
{
	long score = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char b = byte_at(s, i);

		if (!kana_follows(b, i ? byte_at(s, i - 1) : 0))
			score -= 2;
		else if (b == 0xDE || b == 0xDF || b == 0xB0)
			score += 4;
		else
			score += b <= 0xAF ? 2 : 1;
	}
	return score + (n >= 6);
}

static long cp932_score(const char *s, size_t n)
{
	long score = 0;

	for (size_t i = 0; i < n;) {
		unsigned char b = byte_at(s, i);
		size_t run = 0;

		while (i + run < n && is_half_kana(byte_at(s, i + run)))
			run++;
		if (run) {
			score += half_kana_score(s + i, run);
			i += run;
			continue;
		}
		if (b < 0x80) {
			i++;
			continue;
		}
		if (bad_length(true, s + i, n - i) < 2)
			return -1;
		score += cp932_pair_score(b, byte_at(s, i + 1));
		i += 2;
	}
	return score;
}

void utf8_add_guessed(struct buf *out, const char *s, size_t n)
{
	/* EUC-JP-MS and CP932 hold the same characters; a score that is equal
	   comes from short names of kanji, where EUC-JP is likelier than a word
	   of half-width kana without any mark. */
	long euc, cp932;
	size_t start = out->len;

	if (utf8_valid(s, n)) {
		buf_add(out, s, n);
		return;
	}
	euc = euc_score(s, n);
	cp932 = cp932_score(s, n);
	for (int try = 0; try < 2; try++) {
		bool is_euc = (euc >= cp932) == (try == 0);

		if ((is_euc ? euc : cp932) >= 0 &&
		    !convert(out, is_euc ? "EUC-JP-MS" : "CP932", s, n))
			return;
		buf_cut(out, start);
	}
	for (size_t i = 0; i < n; i++)
		if (byte_at(s, i) < 0x80)
			buf_add_char(out, s[i]);
		else
			buf_add_str(out, UTF8_REPLACEMENT);
}

/* Only charsets that mail is written in are handed to the C library: it knows a
   thousand more, and the name comes from a stranger. Names are compared without
   case and punctuation; where mail means more than the name says (the Windows
   superset), the superset is used. */
static const char *known_charset(const char *name)
{
	static const struct {
		const char *is, *use;
	} known[] = {
		{ "utf8", "UTF-8" },
		{ "iso2022jp", "" },
		{ "csiso2022jp", "" },
		{ "iso2022jp1", "" },
		{ "iso2022jpms", "" },
		{ "cp50220", "" },
		{ "cp50221", "" },
		{ "cp50222", "" },
		{ "jis", "" },
		{ "iso2022jp2", "ISO-2022-JP-2" },
		{ "iso2022jp3", "ISO-2022-JP-3" },
		{ "iso2022jp2004", "ISO-2022-JP-3" },
		{ "shiftjis", "CP932" },
		{ "sjis", "CP932" },
		{ "xsjis", "CP932" },
		{ "mskanji", "CP932" },
		{ "cp932", "CP932" },
		{ "windows31j", "CP932" },
		{ "cswindows31j", "CP932" },
		{ "ms932", "CP932" },
		{ "shiftjis2004", "SHIFT_JISX0213" },
		{ "eucjp", "EUC-JP-MS" },
		{ "xeucjp", "EUC-JP-MS" },
		{ "eucjpms", "EUC-JP-MS" },
		{ "ujis", "EUC-JP-MS" },
		{ "cp51932", "EUC-JP-MS" },
		{ "euckr", "UHC" },
		{ "ksc56011987", "UHC" },
		{ "ksc5601", "UHC" },
		{ "cp949", "UHC" },
		{ "uhc", "UHC" },
		{ "iso2022kr", "ISO-2022-KR" },
		{ "gb2312", "GB18030" },
		{ "gbk", "GB18030" },
		{ "cp936", "GB18030" },
		{ "gb18030", "GB18030" },
		{ "euccn", "GB18030" },
		{ "big5", "BIG5-HKSCS" },
		{ "big5hkscs", "BIG5-HKSCS" },
		{ "cp950", "CP950" },
		{ "iso88591", "CP1252" },
		{ "latin1", "CP1252" },
		{ "iso88592", "ISO-8859-2" },
		{ "iso88593", "ISO-8859-3" },
		{ "iso88594", "ISO-8859-4" },
		{ "iso88595", "ISO-8859-5" },
		{ "iso88596", "ISO-8859-6" },
		{ "iso88597", "ISO-8859-7" },
		{ "iso88598", "ISO-8859-8" },
		{ "iso88598i", "ISO-8859-8" },
		{ "iso88599", "CP1254" },
		{ "iso885910", "ISO-8859-10" },
		{ "iso885911", "TIS-620" },
		{ "iso885913", "ISO-8859-13" },
		{ "iso885914", "ISO-8859-14" },
		{ "iso885915", "ISO-8859-15" },
		{ "iso885916", "ISO-8859-16" },
		{ "windows874", "CP874" },
		{ "tis620", "TIS-620" },
		{ "windows1250", "CP1250" },
		{ "cp1250", "CP1250" },
		{ "windows1251", "CP1251" },
		{ "cp1251", "CP1251" },
		{ "windows1252", "CP1252" },
		{ "cp1252", "CP1252" },
		{ "windows1253", "CP1253" },
		{ "cp1253", "CP1253" },
		{ "windows1254", "CP1254" },
		{ "cp1254", "CP1254" },
		{ "windows1255", "CP1255" },
		{ "cp1255", "CP1255" },
		{ "windows1256", "CP1256" },
		{ "cp1256", "CP1256" },
		{ "windows1257", "CP1257" },
		{ "cp1257", "CP1257" },
		{ "windows1258", "CP1258" },
		{ "cp1258", "CP1258" },
		{ "koi8r", "KOI8-R" },
		{ "koi8u", "KOI8-U" },
		{ "cp437", "CP437" },
		{ "cp850", "CP850" },
		{ "cp866", "CP866" },
		{ "macintosh", "MACINTOSH" },
		{ "utf7", "UTF-7" },
		{ "unicode11utf7", "UTF-7" },
		{ "utf16", "UTF-16" },
		{ "utf16le", "UTF-16LE" },
		{ "utf16be", "UTF-16BE" },
	};
	char plain[24];
	size_t n = 0;

	for (; *name; name++) {
		bool letter = (*name >= 'a' && *name <= 'z') ||
			      (*name >= 'A' && *name <= 'Z');

		if (!letter && (*name < '0' || *name > '9'))
			continue;
		if (n + 1 == sizeof(plain))
			return NULL;
		plain[n++] = (char)(letter ? *name | 0x20 : *name);
	}
	plain[n] = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].is, plain))
			return known[i].use;
	return NULL;
}

void utf8_add_from(struct buf *out, const char *charset, const char *s,
		   size_t n)
{
	const char *name = known_charset(charset);
	bool jis = name && !name[0]; /* by hand */

	if (name && !strcmp(name, "UTF-8"))
		utf8_add_repaired(out, s, n);
	else if (jis && (utf8_is_ascii(s, n) || utf8_jis_likely(s, n)))
		utf8_jis_add(out, s, n);
	else if (!name || jis || convert(out, name, s, n) < 0)
		utf8_add_guessed(out, s, n);
}
