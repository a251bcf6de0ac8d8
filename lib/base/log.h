/* log.h: one event, one line: JSON, or text as key=value. Only programs and their threads log; rooms below
 * return what is worth saying. A secret never reaches a log: the types that hold one cannot be passed here.
 */
#ifndef MUSTER_LOG_H
#define MUSTER_LOG_H

#include "lib/base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
    const char *name;
    bool is_number;
    int64_t number;
    struct bytes text;
};

#define LOG_TEXT(field_name, bytes_value) ((struct log_field){ .name = (field_name), .text = (bytes_value) })
#define LOG_CTEXT(field_name, c_string)   LOG_TEXT(field_name, bytes_text(c_string))
#define LOG_NUMBER(field_name, int_value) \
    ((struct log_field){ .name = (field_name), .is_number = true, .number = (int_value) })

/* Where lines go (a file descriptor that stays open) and what is left out. Before threads start. */
void log_open(int fd, enum log_format format, enum log_level least);

/* Writes time, level, event and the fields in one write(2). Control characters and what is not UTF-8 are
 * escaped; a text field of no bytes is left out. Any thread. */
void log_event(enum log_level level, const char *event, const struct log_field *field, size_t count);

#define log_fields(level, event, ...)                                      \
    log_event((level), (event), (const struct log_field[]){ __VA_ARGS__ }, \
              COUNT_OF(((const struct log_field[]){ __VA_ARGS__ })))

#endif
