//! Messages over TCP: each behind its length, in pieces that end anywhere (RFC 1035, 4.2.2).

/// A TCP connection's bytes on their way.
#[derive(Default)]
pub(crate) struct Stream {
    /// What came and is no whole message yet.
    incoming: Vec<u8>,
    /// What c-ares has not read yet.
    ready: Vec<u8>,
    /// What the system did not take, of messages that c-ares has given.
    outgoing: Vec<u8>,
    /// c-ares still has a byte of those, so that it waits for the socket.
    owed: bool,
}

impl Stream {
    /// Takes what came; `change` says what c-ares gets of each message, if anything.
    pub(crate) fn received(
        &mut self,
        bytes: &[u8],
        mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    ) {
        self.incoming.extend_from_slice(bytes);
        let mut rest = &self.incoming[..];
        while let Some((message, behind)) = message(rest) {
            if let Some(changed) = change(message) {
                push(&mut self.ready, &changed);
            }
            rest = behind;
        }
        let read = self.incoming.len() - rest.len();
        self.incoming.drain(..read);
    }

    /// What c-ares may read.
    pub(crate) fn ready(&self) -> &[u8] {
        &self.ready
    }

    /// Forgets what c-ares has read.
    pub(crate) fn consume(&mut self, count: usize) {
        self.ready.drain(..count);
    }

    /// Takes what c-ares gives, whole messages but for a byte that is owed. `change` says what is sent for
    /// each; `send` gets it and says how much the system took, or that it takes nothing.
    ///
    /// Returns how much c-ares may forget, or what `send` said.
    pub(crate) fn send<E>(
        &mut self,
        bytes: &[u8],
        mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>,
        mut send: impl FnMut(&[u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if !self.outgoing.is_empty() {
            let taken = send(&self.outgoing)?;
            self.outgoing.drain(..taken);
            if !self.outgoing.is_empty() {
                return Ok(0);
            }
        }
        let owed = usize::from(std::mem::take(&mut self.owed));
        let mut rest = &bytes[owed..];
        let mut all = Vec::with_capacity(rest.len());
        while let Some((message, behind)) = message(rest) {
            match change(message) {
                Some(changed) => push(&mut all, &changed),
                None => push(&mut all, message),
            }
            rest = behind;
        }
        if all.is_empty() {
            return Ok(owed);
        }
        let taken = match send(&all) {
            Ok(taken) => taken,
            Err(error) if owed == 0 => return Err(error),
            Err(_) => return Ok(owed),
        };
        if taken == all.len() {
            return Ok(bytes.len());
        }
        all.drain(..taken);
        self.outgoing = all;
        self.owed = true;
        Ok(bytes.len() - 1)
    }
}

/// The first message, and what is behind it.
fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn push(out: &mut Vec<u8>, message: &[u8]) {
    // A message is never longer: it is read and written as one.
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&message[..length.into()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(message: &[u8]) -> Option<Vec<u8>> {
        (message != b"drop").then(|| message.to_ascii_uppercase())
    }

    #[test]
    fn messages_come_in_pieces() {
        let mut stream = Stream::default();
        for byte in b"\0\x02ab\0\x04drop\0\x01c\0" {
            stream.received(&[*byte], upper);
        }
        assert_eq!(stream.ready(), b"\0\x02AB\0\x01C");
        stream.consume(5);
        assert_eq!(stream.ready(), b"\x01C");
    }

    /// A socket that takes so many bytes.
    fn socket(out: &mut Vec<u8>, mut room: usize) -> impl FnMut(&[u8]) -> Result<usize, ()> {
        move |bytes| {
            let count = bytes.len().min(room);
            room -= count;
            out.extend_from_slice(&bytes[..count]);
            if count == 0 { Err(()) } else { Ok(count) }
        }
    }

    #[test]
    fn what_the_system_takes_is_forgotten() {
        let (mut stream, mut out) = (Stream::default(), Vec::new());
        let given = b"\0\x02ab\0\x01c";
        assert_eq!(stream.send(given, upper, socket(&mut out, 100)), Ok(7));
        assert_eq!(out, b"\0\x02AB\0\x01C");
        assert_eq!(stream.send(given, upper, socket(&mut out, 0)), Err(()));
    }

    #[test]
    fn a_part_that_is_left_is_sent_first() {
        let (mut stream, mut out) = (Stream::default(), Vec::new());
        assert_eq!(stream.send(b"\0\x02ab\0\x01c", upper, socket(&mut out, 3)), Ok(6));
        // c-ares comes again with the byte that it has left, and more.
        let again = b"c\0\x01d";
        assert_eq!(stream.send(again, upper, socket(&mut out, 0)), Err(()));
        assert_eq!(stream.send(again, upper, socket(&mut out, 2)), Ok(0));
        assert_eq!(stream.send(again, upper, socket(&mut out, 2)), Ok(1));
        assert_eq!(stream.send(&again[1..], upper, socket(&mut out, 9)), Ok(3));
        assert_eq!(out, b"\0\x02AB\0\x01C\0\x01D");
    }
}
