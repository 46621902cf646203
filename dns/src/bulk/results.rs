//! What became of the questions: lines of JSON, and how many of each status.

use crate::error::{Code, Error};
use crate::json;
use crate::message::Message;

#[derive(Default)]
pub(super) struct Results {
    lines: String,
    by_code: [u64; Code::ALL.len()],
}

impl Results {
    /// The lines that were not taken yet.
    pub(super) fn lines(&self) -> &str {
        &self.lines
    }

    /// Gives the lines away.
    pub(super) fn take(&mut self) -> String {
        let room = self.lines.capacity();
        std::mem::replace(&mut self.lines, String::with_capacity(room))
    }

    /// How many of each status, without those that did not come up.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let all = Code::ALL.iter().zip(self.by_code).map(|((_, code), count)| (code.word(), count));
        all.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn answer(&mut self, name: &[u8], record_type: &str, message: &Message) {
        self.begin(name, record_type, Code::SUCCESS);
        self.lines.push_str(r#","answer":"#);
        message.push_answer_json(&mut self.lines);
        self.lines.push_str("}\n");
    }

    pub(super) fn failure(&mut self, name: &[u8], record_type: &str, error: &Error) {
        self.begin(name, record_type, error.code().unwrap_or(Code::EBADRESP));
        self.end(&error.to_string());
    }

    /// A line that asks nothing: its name is none, or its type.
    pub(super) fn bad_name(&mut self, name: &[u8], record_type: &str, reason: &str) {
        self.begin(name, record_type, Code::EBADNAME);
        self.end(reason);
    }

    fn begin(&mut self, name: &[u8], record_type: &str, status: Code) {
        if let Some(count) = usize::try_from(status.0).ok().and_then(|at| self.by_code.get_mut(at))
        {
            *count += 1;
        }
        let out = &mut self.lines;
        out.push_str(r#"{"name":"#);
        json::text(out, name);
        out.push_str(r#","type":"#);
        json::string(out, record_type);
        out.push_str(r#","status":""#);
        out.push_str(status.word());
        out.push('"');
    }

    fn end(&mut self, reason: &str) {
        self.lines.push_str(r#","reason":"#);
        json::string(&mut self.lines, reason);
        self.lines.push_str("}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_and_a_count_of_each_status() {
        let mut results = Results::default();
        results.failure(b"a.example", "A", &Code::ENOTFOUND.into());
        results.failure(b"b.example", "MX", &Error::new(Code::ETIMEOUT, "why"));
        results.failure(b"c.example", "MX", &Code::ENOTFOUND.into());
        results.bad_name(b"\xffa\"", "NO", "why");
        let expected = [
            r#"{"name":"a.example","type":"A","status":"NXDOMAIN","reason":"Domain name not found"}"#,
            r#"{"name":"b.example","type":"MX","status":"TIMEOUT","reason":"Timeout while contacting DNS servers: why"}"#,
            r#"{"name":"c.example","type":"MX","status":"NXDOMAIN","reason":"Domain name not found"}"#,
            "{\"name\":\"\\udcffa\\\"\",\"type\":\"NO\",\"status\":\"BADNAME\",\"reason\":\"why\"}",
        ];
        assert_eq!(results.lines().lines().collect::<Vec<_>>(), expected);
        assert_eq!(results.counts(), [("NXDOMAIN", 2), ("BADNAME", 1), ("TIMEOUT", 1)]);
        assert_eq!(results.take().lines().count(), 4);
        assert_eq!(results.lines(), "");
    }
}
