//! By which names the server may be called. A page of another name that was made to resolve to this machine is refused.

use std::net::{IpAddr, SocketAddr};

/// The names of a server that listens at an address.
#[derive(Clone, Copy, Debug)]
pub struct Hosts(SocketAddr);

impl Hosts {
    /// Of a server that listens here.
    pub fn of(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Whether a `Host` names this server. Where it listens at every address of the machine, any address will do, and
    /// no name but `localhost`: names are what an attacker can point elsewhere.
    pub fn allow(self, host: &str) -> bool {
        let bound = self.0.ip();
        let (name, port) = match host.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((name, "")) => (name, "80"),
                Some((name, port)) => (name, port.strip_prefix(':').unwrap_or("")),
                None => return false,
            },
            None => host.rsplit_once(':').unwrap_or((host, "80")),
        };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse() != Ok(self.0.port()) {
            return false;
        }
        let is_near = bound.is_loopback() || bound.is_unspecified();
        if name.eq_ignore_ascii_case("localhost") {
            return is_near;
        }
        name.parse::<IpAddr>().is_ok_and(|ip| ip == bound || bound.is_unspecified() || (is_near && ip.is_loopback()))
    }

    /// Whether an `Origin` is the page of this `Host`.
    pub fn allow_origin(self, origin: &str, host: &str) -> bool {
        origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host) && self.allow(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_allowed() {
        let near = Hosts::of("127.0.0.1:8080".parse().unwrap());
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"] {
            assert!(near.allow(host), "{host}");
        }
        for host in ["127.0.0.1", "127.0.0.1:80", "localhost:80800", "evil.example:8080", "10.0.0.1:8080", "", ":8080"]
        {
            assert!(!near.allow(host), "{host}");
        }
        for host in ["[::1", "[::1]8080", "[]:8080", "localhost.evil:8080", "localhost:+8080", "127.0.0.1:8080:8080"] {
            assert!(!near.allow(host), "{host}");
        }
        let one = Hosts::of("10.0.0.7:80".parse().unwrap());
        assert!(one.allow("10.0.0.7:80") && one.allow("10.0.0.7"));
        assert!(!one.allow("localhost:80") && !one.allow("127.0.0.1:80") && !one.allow("10.0.0.8:80"));
        let all = Hosts::of("0.0.0.0:80".parse().unwrap());
        assert!(all.allow("10.0.0.8:80") && all.allow("localhost:80") && !all.allow("here.example:80"));
    }

    #[test]
    fn only_its_own_pages_are_origins() {
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap());
        assert!(hosts.allow_origin("http://127.0.0.1:8080", "127.0.0.1:8080"));
        for origin in
            ["null", "https://127.0.0.1:8080", "http://localhost:8080", "http://127.0.0.1:8081", "http://evil", ""]
        {
            assert!(!hosts.allow_origin(origin, "127.0.0.1:8080"), "{origin}");
        }
    }
}
