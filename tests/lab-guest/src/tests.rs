//! Tests of the channel's format.

use proptest::prelude::*;

use super::*;

fn requests() -> impl Strategy<Value = Request> {
    let text = ".{0,40}";
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        any::<u64>().prop_map(|nonce| Request::Ping { nonce }),
        (text, bytes(), any::<u32>()).prop_map(|(command, stdin, timeout_ms)| Request::Run {
            command,
            stdin,
            timeout_ms
        }),
        (text, text).prop_map(|(command, log)| Request::Spawn { command, log }),
        (text, any::<u32>(), bytes()).prop_map(|(path, mode, content)| Request::Put {
            path,
            mode,
            content
        }),
        text.prop_map(|path| Request::Get { path }),
        (any::<u64>(), bytes())
            .prop_map(|(unix_ms, entropy)| Request::Refresh { unix_ms, entropy }),
    ]
}

fn replies() -> impl Strategy<Value = Reply> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        any::<u64>().prop_map(|nonce| Reply::Pong { nonce }),
        (any::<u32>(), 0..2u32, bytes(), bytes()).prop_map(
            |(status, timed_out, stdout, stderr)| Reply::Ended {
                status,
                timed_out,
                stdout,
                stderr
            }
        ),
        any::<u32>().prop_map(|pid| Reply::Started { pid }),
        Just(Reply::Done),
        bytes().prop_map(|content| Reply::File { content }),
        ".{0,40}".prop_map(|reason| Reply::Failed { reason }),
    ]
}

proptest! {
    #[test]
    fn requests_survive_the_stream(sent in prop::collection::vec(requests(), 0..5)) {
        let mut stream = Vec::new();
        for request in &sent {
            request.write_to(&mut stream).unwrap();
        }
        let mut stream = stream.as_slice();
        for request in sent {
            prop_assert_eq!(Request::read_from(&mut stream).unwrap(), Some(request));
        }
        prop_assert_eq!(Request::read_from(&mut stream).unwrap(), None);
    }

    #[test]
    fn replies_survive_the_stream(sent in replies()) {
        let mut stream = Vec::new();
        sent.write_to(&mut stream).unwrap();
        prop_assert_eq!(Reply::read_from(&mut stream.as_slice()).unwrap(), Some(sent));
    }

    #[test]
    fn garbage_is_an_error_or_a_message(body in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut stream = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
        stream.extend_from_slice(&body);
        if let Ok(Some(request)) = Request::read_from(&mut stream.as_slice()) {
            prop_assert_eq!(request.encode(), body);
        }
    }

    #[test]
    fn rejects_truncated_frames(sent in requests(), cut in any::<prop::sample::Index>()) {
        let mut stream = Vec::new();
        sent.write_to(&mut stream).unwrap();
        let keep = 1 + cut.index(stream.len() - 1);
        prop_assert!(Request::read_from(&mut &stream[..keep]).is_err());
    }
}

#[test]
fn rejects_a_frame_over_the_limit_before_it_is_read() {
    let length = u32::try_from(MAX_FRAME_BYTES + 1).unwrap();
    let error = Reply::read_from(&mut length.to_le_bytes().as_slice()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn does_not_send_a_frame_over_the_limit() {
    let mut stream = Vec::new();
    let error =
        Reply::File { content: vec![0; MAX_FRAME_BYTES] }.write_to(&mut stream).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(stream.is_empty());
}

#[test]
fn rejects_a_length_beyond_the_body() {
    let body = [GET, 0xff, 0xff, 0xff, 0xff, b'/'];
    assert_eq!(Request::decode(&body), Err(Malformed));
}
