// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/json-writer.h>

static void
test_nests_objects_and_arrays (void)
{
  MmJsonWriter *writer = mm_json_writer_new ();

  mm_json_writer_begin_object (writer, NULL);
  mm_json_writer_add_string (writer, "name", "INBOX");
  mm_json_writer_add_string (writer, "reason", NULL);
  mm_json_writer_begin_array (writer, "list");
  mm_json_writer_add_number (writer, NULL, G_MAXUINT64);
  mm_json_writer_begin_object (writer, NULL);
  mm_json_writer_add_boolean (writer, "good", TRUE);
  mm_json_writer_end_object (writer);
  mm_json_writer_end_array (writer);
  mm_json_writer_begin_object (writer, "empty");
  mm_json_writer_end_object (writer);
  mm_json_writer_add_boolean (writer, "last", FALSE);
  mm_json_writer_end_object (writer);

  g_autofree gchar *text = mm_json_writer_finish (writer);
  g_assert_cmpstr (text, ==,
                   "{\n"
                   "  \"name\": \"INBOX\",\n"
                   "  \"reason\": null,\n"
                   "  \"list\": [\n"
                   "    18446744073709551615,\n"
                   "    {\n"
                   "      \"good\": true\n"
                   "    }\n"
                   "  ],\n"
                   "  \"empty\": {},\n"
                   "  \"last\": false\n"
                   "}\n");
}

static gchar *
write_string (const gchar *value)
{
  MmJsonWriter *writer = mm_json_writer_new ();

  mm_json_writer_add_string (writer, NULL, value);
  return mm_json_writer_finish (writer);
}

static void
test_strings_may_hold_anything (void)
{
  static const struct
  {
    const gchar *value;
    const gchar *written;
  } cases[] = {
    { "", "\"\"\n" },
    { "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"\n" },
    { "two\nlines\tand\r\x01\x7f", "\"two\\nlines\\tand\\u000d\\u0001\\u007f\"\n" },
    { "grün 写真 📬", "\"grün 写真 📬\"\n" },
    { "not \xff utf8", "\"not \xef\xbf\xbd utf8\"\n" },
    /* What turns the direction of text, a control of C1, a line separator. */
    { "x\xe2\x80\xaey \xc2\x9b \xe2\x80\xa8", "\"x\\u202ey \\u009b \\u2028\"\n" },
    /* Beyond 16 bits, and not to be shown: a pair of surrogates. */
    { "\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree gchar *written = write_string (cases[i].value);
      g_assert_cmpstr (written, ==, cases[i].written);
    }
}

static void
test_times_are_rfc_3339 (void)
{
  MmJsonWriter *writer = mm_json_writer_new ();

  mm_json_writer_begin_array (writer, NULL);
  mm_json_writer_add_time (writer, NULL, G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC + 999999);
  mm_json_writer_add_time (writer, NULL, 0);
  mm_json_writer_end_array (writer);
  g_autofree gchar *text = mm_json_writer_finish (writer);
  g_assert_cmpstr (text, ==, "[\n  \"2023-11-14T22:13:20Z\",\n  null\n]\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-writer/nests-objects-and-arrays", test_nests_objects_and_arrays);
  g_test_add_func ("/json-writer/strings-may-hold-anything", test_strings_may_hold_anything);
  g_test_add_func ("/json-writer/times-are-rfc-3339", test_times_are_rfc_3339);
  return g_test_run ();
}
