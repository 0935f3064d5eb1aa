/* SPDX-License-Identifier: ISC
 *
 * A depool threshold in exact decimal arithmetic: the digits of the text become a whole number over
 * 10^18, and a comparison is one multiplication in 128 bits. Rule: docs/balance.md, "The floor".
 */
#include "balance/threshold.h"

#include <string.h>

#include "balance/shown.h"
#include "base/error.h"

#define ONE G_GUINT64_CONSTANT(1000000000000000000)

typedef unsigned __int128 Wide;

/* The number being read: `digits` x 10^-`decimals`. */
typedef struct Decimal {
	guint64 digits;
	gint64 decimals;
	gboolean any; /* at least one digit was there */
} Decimal;

static gboolean refuse(const char *text, GError **error)
{
	g_autofree char *shown = shown_text(text, -1);
	drover_error_set(error, DROVER_ERROR_INPUT, "must be " THRESHOLD_ALLOWED ", not %s", shown);
	return FALSE;
}

/* Zeros at the end of a fraction say nothing and must not overflow. */
static gboolean add_digit(Decimal *decimal, int digit)
{
	if (decimal->digits > (G_MAXUINT64 - (guint64)digit) / 10)
		return FALSE;
	decimal->digits = decimal->digits * 10 + (guint64)digit;
	return TRUE;
}

static gboolean read_digits(const char **at, Decimal *decimal, gboolean fraction)
{
	gint64 zeros = 0;
	for (; g_ascii_isdigit(**at); (*at)++) {
		decimal->any = TRUE;
		if (fraction && **at == '0') {
			zeros++;
			continue;
		}
		for (; zeros > 0; zeros--, decimal->decimals++)
			if (!add_digit(decimal, 0))
				return FALSE;
		if (!add_digit(decimal, g_ascii_digit_value(**at)))
			return FALSE;
		decimal->decimals += fraction;
	}
	return TRUE;
}

static gboolean read_exponent(const char **at, Decimal *decimal)
{
	if (**at != 'e' && **at != 'E')
		return TRUE;
	(*at)++;
	gboolean negative = **at == '-';
	if (**at == '-' || **at == '+')
		(*at)++;
	if (!g_ascii_isdigit(**at))
		return FALSE;
	gint64 exponent = 0;
	for (; g_ascii_isdigit(**at); (*at)++)
		if (exponent < 1000)
			exponent = exponent * 10 + g_ascii_digit_value(**at);
	decimal->decimals += negative ? exponent : -exponent;
	return TRUE;
}

/* To 10^-18, when that loses nothing and is at most 1. */
static gboolean scale(const Decimal *decimal, Threshold *threshold)
{
	Wide value = decimal->digits;
	gint64 shift = THRESHOLD_MAXIMUM_DECIMALS - decimal->decimals;
	for (; shift > 0 && value > 0 && value <= ONE; shift--)
		value *= 10;
	for (; shift < 0 && value % 10 == 0 && value > 0; shift++)
		value /= 10;
	if (value > ONE || (value > 0 && shift != 0))
		return FALSE;
	threshold->numerator = (guint64)value;
	return TRUE;
}

gboolean threshold_parse(const char *text, Threshold *threshold, GError **error)
{
	Decimal decimal = {0};
	const char *at = text;
	if (strlen(text) > THRESHOLD_MAXIMUM_BYTES)
		return refuse(text, error);
	if (*at == '+')
		at++;
	if (!read_digits(&at, &decimal, FALSE))
		return refuse(text, error);
	if (*at == '.') {
		at++;
		if (!read_digits(&at, &decimal, TRUE))
			return refuse(text, error);
	}
	if (!decimal.any || !read_exponent(&at, &decimal) || *at != '\0' ||
		!scale(&decimal, threshold))
		return refuse(text, error);
	return TRUE;
}

gboolean threshold_from_double(double value, Threshold *threshold, GError **error)
{
	/* Fifteen digits always survive the way through a double. */
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	g_ascii_formatd(text, sizeof text, "%.15g", value);
	return threshold_parse(text, threshold, error);
}

gboolean threshold_is_reached(Threshold threshold, guint64 count, guint64 total)
{
	return (Wide)count * ONE >= (Wide)total * threshold.numerator;
}

guint64 threshold_needed(Threshold threshold, guint64 total)
{
	return (guint64)(((Wide)total * threshold.numerator + ONE - 1) / ONE);
}

char *threshold_text(Threshold threshold)
{
	g_autofree char *digits =
		g_strdup_printf("%018" G_GUINT64_FORMAT, threshold.numerator % ONE);
	gsize length = strlen(digits);
	while (length > 0 && digits[length - 1] == '0')
		digits[--length] = '\0';
	return g_strdup_printf("%" G_GUINT64_FORMAT "%s%s", threshold.numerator / ONE,
		length > 0 ? "." : "", digits);
}
