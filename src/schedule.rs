//! `--schedule`: a cron expression as users know it, in the form of the `cron` crate.
//!
//! The two differ where it hurts: for crontab(5) the day `1` is Monday, for the crate it is
//! Sunday; and of a day of the month and a day of the week crontab(5) takes either, the crate
//! both. The first is translated, the second is refused.

use std::str::FromStr;

use chrono::DateTime;

use crate::note::{Outcome, Refusal};

/// Days of the week as crontab(5) counts them.
const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// Parses a cron expression of five fields, of six or seven with the seconds first, or `@daily`
/// and its like, and gives it as the `cron` crate reads it.
///
/// Refuses what the crate does not read, what it would read otherwise than crontab(5), and what
/// never comes.
pub fn parse(text: &str) -> Outcome<String> {
    let usage = |why: String, help: &str| {
        Err(Refusal::usage("schedule", format!("`{text}` {why}")).help(help))
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let expression = match *fields.as_slice() {
        [minute, hour, day, month, weekday] => {
            let Some(weekday) = named(weekday) else {
                return usage(
                    format!("has `{weekday}` for the days of the week"),
                    "name them: `MON-FRI`, `SAT,SUN`",
                );
            };
            format!("0 {minute} {hour} {day} {month} {weekday}")
        }
        [_, _, _, _, _, weekday] | [_, _, _, _, _, weekday, _] => {
            if has_number(weekday) {
                return usage(
                    format!(
                        "has `{weekday}` for the days of the week, where some count from Sunday and others from Monday"
                    ),
                    "name them: `MON-FRI`, `SAT,SUN`",
                );
            }
            fields.join(" ")
        }
        [name] if name.starts_with('@') => name.to_owned(),
        _ => {
            return usage(
                format!("has {} fields", fields.len()),
                "a schedule is `MINUTE HOUR DAY MONTH WEEKDAY`: `0 3 * * MON-FRI` is three o'clock UTC on working days",
            );
        }
    };
    let parts: Vec<&str> = expression.split(' ').collect();
    let restricts = |field: Option<&&str>| field.is_some_and(|field| !matches!(*field, "*" | "?"));
    if restricts(parts.get(3)) && restricts(parts.get(5)) {
        return usage(
            "restricts both the day of the month and the day of the week: crontab(5) fires on either, the `cron` crate only where both match".to_owned(),
            "restrict one of them, and leave the other `*`",
        );
    }
    let schedule = match cron::Schedule::from_str(&expression) {
        Ok(schedule) => schedule,
        Err(error) => {
            let cause = error.to_string();
            let cause = cause.lines().last().unwrap_or_default().trim();
            let cause = if cause.is_empty() || cause == "^" {
                "it does not parse"
            } else {
                cause
            };
            return usage(
                format!("is no schedule: {cause}"),
                "a schedule is `MINUTE HOUR DAY MONTH WEEKDAY`: `*/5 * * * *` is every five minutes",
            );
        }
    };
    // A leap day comes within eight years.
    let from = DateTime::UNIX_EPOCH;
    if schedule.after(&from).next().is_none() {
        return usage("never comes".to_owned(), "look at the day and the month");
    }
    Ok(expression)
}

/// `expression`, as [`parse`] gives it, in six fields; `None` where it has a year.
///
/// Not every crate reads `@daily` and its like, or years.
#[must_use]
pub fn in_six_fields(expression: &str) -> Option<String> {
    let fields = match expression {
        "@yearly" | "@annually" => "0 0 0 1 1 *",
        "@monthly" => "0 0 0 1 * *",
        "@weekly" => "0 0 0 * * SUN",
        "@daily" => "0 0 0 * * *",
        "@hourly" => "0 0 * * * *",
        other => other,
    };
    (fields.split(' ').count() == 6).then(|| fields.to_owned())
}

/// Days of the week with names for numbers; `None` where a number is no day, or a range of
/// numbers goes over the week's end.
fn named(days: &str) -> Option<String> {
    let parts = days.split(',').map(|part| {
        let (range, step) = part
            .split_once('/')
            .map_or((part, None), |(r, s)| (r, Some(s)));
        let name = |day: &str| match day.parse::<usize>() {
            Ok(number) => DAYS.get(number).map(|name| (*name).to_owned()),
            Err(_) => Some(day.to_owned()),
        };
        let range = match range.split_once('-') {
            // The crate's week starts on Sunday.
            Some((_, "7")) => return None,
            Some((from, to)) => format!("{}-{}", name(from)?, name(to)?),
            None => name(range)?,
        };
        Some(step.map_or_else(|| range.clone(), |step| format!("{range}/{step}")))
    });
    let parts: Option<Vec<String>> = parts.collect();
    Some(parts?.join(","))
}

/// Whether a day is a number; the number behind `/` is a step.
fn has_number(days: &str) -> bool {
    days.split([',', '-'])
        .any(|day| day.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crontabs_days_are_named() {
        for (text, expression) in [
            ("*/5 * * * *", "0 */5 * * * *"),
            ("0 3 * * 1", "0 0 3 * * MON"),
            ("0 3 * * 1-5", "0 0 3 * * MON-FRI"),
            ("0 3 * * 0,6", "0 0 3 * * SUN,SAT"),
            ("0 3 * * 7", "0 0 3 * * SUN"),
            ("0 3 * * mon-fri/2", "0 0 3 * * mon-fri/2"),
            ("0 3 1 * *", "0 0 3 1 * *"),
            ("  0  3 ? * MON ", "0 0 3 ? * MON"),
            ("0 0 29 2 *", "0 0 0 29 2 *"),
            ("30 0 3 * * MON", "30 0 3 * * MON"),
            ("30 0 3 * * * 2030", "30 0 3 * * * 2030"),
            ("@daily", "@daily"),
        ] {
            assert_eq!(parse(text).as_deref().ok(), Some(expression), "{text}");
        }
    }

    #[test]
    fn six_fields_say_the_same() {
        let from = DateTime::UNIX_EPOCH;
        let ticks = |expression: &str| {
            let schedule = cron::Schedule::from_str(expression).unwrap();
            schedule.after(&from).take(40).collect::<Vec<_>>()
        };
        for text in [
            "@yearly",
            "@monthly",
            "@weekly",
            "@daily",
            "@hourly",
            "0 3 * * 1-5",
        ] {
            let expression = parse(text).unwrap();
            let six = in_six_fields(&expression).unwrap();
            assert_eq!(ticks(&six), ticks(&expression), "{text}");
            assert_eq!(six.split(' ').count(), 6, "{text}");
        }
        assert_eq!(in_six_fields("30 0 3 * * * 2030"), None);
        assert_eq!(in_six_fields("@midnight"), None);
    }

    #[test]
    fn what_would_fire_at_other_times_is_refused() {
        for (text, why) in [
            ("", "has 0 fields"),
            ("0 3 * *", "has 4 fields"),
            ("60 3 * * *", "Minutes"),
            ("x 3 * * *", "is no schedule"),
            ("@sometimes", "is no schedule"),
            ("0 3 * * 8", "days of the week"),
            ("0 3 * * 5-7", "days of the week"),
            ("0 0 3 * * 1", "where some count from Sunday"),
            ("0 0 3 * * 1-5", "where some count from Sunday"),
            ("0 3 1 * MON", "restricts both"),
            ("0 0 31 2 *", "never comes"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.message.contains(why), "{text}: {}", refused.message);
            assert_eq!(refused.exit_code(), 2, "{text}");
        }
    }
}
