/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/json.h"

#include "fixture.h"
#include "runner.h"

static void show(struct fixture *fixture, struct buf *text, struct buf *json)
{
    buf_init(text, SPEC_MAX_BYTES);
    buf_init(json, SPEC_MAX_BYTES);
    ck_assert_int_eq(plan_show_text(fixture->plan, text), 0);
    ck_assert_int_eq(plan_show_json(fixture->plan, json), 0);
}

START_TEST(no_control_character_reaches_a_terminal)
{
    OWNED_FIXTURE fixture;
    OWNED_BUF text, json;

    fixture_init(&fixture);
    ck_ok(fixture_make_parts(&fixture, "\"env\":[\"A=\\u001b[31m\\n\\u007f\"]", "", ""),
          &fixture.err);
    show(&fixture, &text, &json);
    ck_assert_ptr_nonnull(strstr(buf_text(&text), "    A=\\x1b[31m\\n\\x7f\n"));
    ck_assert_ptr_null(strchr(buf_text(&text), '\x1b'));
    ck_assert_ptr_null(strchr(buf_text(&json), '\x1b'));
}
END_TEST

START_TEST(an_option_with_a_comma_cannot_be_taken_for_two)
{
    OWNED_FIXTURE fixture;
    OWNED_BUF text, json;

    fixture_init(&fixture);
    ck_ok(fixture_make_parts(&fixture, "", "",
                             "{\"destination\":\"/a\",\"type\":\"overlay\",\"options\":["
                             "\"lowerdir=/a,b\",\"ro\",\"index=off\"]}"),
          &fixture.err);
    show(&fixture, &text, &json);
    ck_assert_ptr_nonnull(
        strstr(buf_text(&text), "attributes=ro options=\"lowerdir=/a,b\",index=off "));
    ck_assert_ptr_nonnull(strstr(buf_text(&json), "\"lowerdir=/a,b\""));
}
END_TEST

/* the rows that a program would read */
struct shown_root {
    const char *path;
};
struct shown_device {
    const char *path;
    uint32_t mode;
};
struct shown {
    const char *id;
    struct shown_root root;
    struct {
        const struct shown_device *items;
        size_t count;
    } devices;
};

START_TEST(the_json_form_has_numbers_and_texts_as_they_are)
{
    static const struct json_field root_fields[] = {
        {.key = "path", .kind = JSON_STRING, .offset = offsetof(struct shown_root, path)},
    };
    static const struct json_shape root_shape = {JSON_FIELDS(root_fields),
                                                 .size = sizeof(struct shown_root)};
    static const struct json_field device_fields[] = {
        {.key = "path", .kind = JSON_STRING, .offset = offsetof(struct shown_device, path)},
        {.key = "mode", .kind = JSON_U32,    .offset = offsetof(struct shown_device, mode)},
    };
    static const struct json_shape device_shape = {JSON_FIELDS(device_fields),
                                                   .size = sizeof(struct shown_device)};
    static const struct json_field fields[] = {
        {.key = "id",         .kind = JSON_STRING, .offset = offsetof(struct shown, id)},
        { .key = "root",
         .kind = JSON_INLINE,
         .offset = offsetof(struct shown,                                    root),
         .shape = &root_shape},
        {                                                           .key = "devices",
         .kind = JSON_LIST,
         .offset = offsetof(struct shown,                                 devices),
         .shape = &device_shape},
    };
    static const struct json_shape shape = {JSON_FIELDS(fields), .size = sizeof(struct shown)};
    OWNED_FIXTURE fixture;
    OWNED_BUF text, json;
    struct shown shown;

    fixture_init(&fixture);
    ck_ok(fixture_make_parts(&fixture, "", "", ""), &fixture.err);
    show(&fixture, &text, &json);

    const struct json_source source = {
        .name = "plan", .text = buf_text(&json), .size = json.length};
    ck_ok(json_decode(&fixture.arena, &source, &shape, NULL, &shown, &fixture.err), &fixture.err);
    ck_assert_str_eq(shown.id, "c1");
    ck_assert_str_eq(shown.root.path, "/b/rootfs");
    ck_assert_uint_eq(shown.devices.count, 6);
    ck_assert_str_eq(shown.devices.items[0].path, "/dev/null");
    ck_assert_uint_eq(shown.devices.items[0].mode, 0666);
}
END_TEST

SUITE(show_suite, no_control_character_reaches_a_terminal,
      an_option_with_a_comma_cannot_be_taken_for_two,
      the_json_form_has_numbers_and_texts_as_they_are)
