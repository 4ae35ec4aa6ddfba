// SPDX-License-Identifier: MIT
//
// Goal: whatever is wrong with a server, an address or a login, open says so in the right words, at
// the right stage, in time, and without a secret. Method: a real server, and fake ones on the
// loopback; time moves with the real one while a descriptor is waited for.
#include "backends/postgres/config.hpp"
#include "backends/postgres/resolve.hpp"
#include "tests/backends/fake_server.hpp"
#include "tests/backends/postgres_fixture.hpp"

#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace weir::test {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr weir_time ms = 1'000'000;

class PostgresOpen : public Postgres {
 protected:
  void expect(weir_status kind, std::uint8_t stage, const char* sqlstate = "") {
    EXPECT_EQ(kind, session->error.kind) << said;
    EXPECT_EQ(stage, session->error.stage) << said;
    EXPECT_STREQ(sqlstate, session->error.sqlstate) << said;
    EXPECT_EQ(nullptr, session->conn);
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
  }
  static std::string loopback(const FakeServer& fake, const std::string& more = "") {
    return "postgresql://weir:hunter2@127.0.0.1:" + fake.port_text() + "/postgres" + more;
  }
};

TEST_F(PostgresOpen, a_wrong_password_is_an_error_of_authentication) {
  admin("DROP ROLE IF EXISTS someone");
  admin("CREATE ROLE someone LOGIN PASSWORD 'right'");
  try_open(server->tcp_url("someone:hunter2"));
  expect(WEIR_E_AUTH, WEIR_STAGE_AUTH, "28P01");
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
  try_open(server->tcp_url("someone"), {{"password", "hunter2"}});
  expect(WEIR_E_AUTH, WEIR_STAGE_AUTH, "28P01");
  try_open(server->tcp_url("someone"));
  expect(WEIR_E_AUTH, WEIR_STAGE_AUTH);
  EXPECT_THAT(said, HasSubstr("option password"));
  EXPECT_EQ(WEIR_OK, try_open(server->tcp_url("someone"), {{"password", "right"}})) << said;
}

TEST_F(PostgresOpen, what_the_server_refuses_has_its_kind) {
  try_open(server->url("", "nowhere"));
  expect(WEIR_E_CONFIG, WEIR_STAGE_SETUP, "3D000");
  EXPECT_THAT(said, HasSubstr("nowhere"));
  admin("DROP ROLE IF EXISTS crowd");
  admin("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0");
  try_open("postgresql://crowd@/postgres?host=" + server->directory() +
           "&port=" + std::to_string(server->port()));
  expect(WEIR_E_TOO_MANY_CONNECTIONS, WEIR_STAGE_SETUP, "53300");
  EXPECT_EQ(WEIR_ERROR_TRANSIENT, session->error.flags & WEIR_ERROR_TRANSIENT);
  try_open(server->url("options=-c%20work_mem%3Dhunter2%20-c%20nothing%3D1"));
  EXPECT_EQ(WEIR_E_CONFIG, session->error.kind) << said;
}

TEST_F(PostgresOpen, nobody_there_is_an_error_of_the_connection) {
  const std::string port = std::to_string(closed_port());
  try_open("postgresql://weir:hunter2@127.0.0.1:" + port + "/postgres");
  expect(WEIR_E_CONNECT, WEIR_STAGE_CONNECT);
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
  EXPECT_THAT(said, HasSubstr(port));
  try_open("postgresql://weir:hunter2@/postgres?host=/nowhere/at/all");
  expect(WEIR_E_CONNECT, WEIR_STAGE_CONNECT);
  EXPECT_EQ(std::string::npos, said.find_first_of("\n\t")) << said;
  FakeServer closes;
  closes.answer("");
  try_open(loopback(closes, "?sslmode=disable"));
  expect(WEIR_E_CONNECT, WEIR_STAGE_AUTH);
}

TEST_F(PostgresOpen, a_name_that_does_not_resolve_is_one_of_the_look_up) {
  patience = 3'000 * ms;
  try_open("postgresql://weir:hunter2@no-such-host.invalid/postgres");
  EXPECT_THAT(session->error.kind, AnyOf(WEIR_E_RESOLVE, WEIR_E_TIMEOUT)) << said;
  EXPECT_EQ(WEIR_STAGE_RESOLVE, session->error.stage);
  EXPECT_THAT(said, HasSubstr("no-such-host.invalid"));
  EXPECT_THAT(said, Not(HasSubstr("hunter2")));
}

TEST_F(PostgresOpen, silence_ends_at_the_deadline) {
  const FakeServer silent;
  FakeServer full(0);
  full.fill_queue();
  struct Case {
    std::string url;
    std::uint8_t stage;
  };
  const Case cases[] = {
      {loopback(silent), WEIR_STAGE_TLS},
      {loopback(silent, "?sslmode=disable"), WEIR_STAGE_AUTH},
      {loopback(full), WEIR_STAGE_CONNECT},
  };
  patience = 50 * ms;
  for (const Case& c : cases) {
    const weir_time start = host.now;
    try_open(c.url);
    expect(WEIR_E_TIMEOUT, c.stage);
    EXPECT_GE(host.now, start + patience);
    EXPECT_LE(host.now, start + patience + 2 * ms);
  }
}

TEST_F(PostgresOpen, cancel_and_abort_end_the_wait) {
  const FakeServer silent;
  for (const bool abort : {false, true}) {
    use(loopback(silent));
    const weir_call call = session->call();
    host.looks = 0;
    host.on_look = [&] {
      if (host.looks != 20) return;
      if (abort) {
        session->driver->abort(session->canceller);
      } else {
        session->driver->cancel(session->canceller, session->op, &call, nullptr);
      }
    };
    EXPECT_EQ(WEIR_E_CANCELLED, session->open()) << session->error.what();
    host.on_look = nullptr;
  }
}

TEST_F(PostgresOpen, what_is_no_postgresql_is_found_out) {
  FakeServer web;
  web.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
  try_open(loopback(web, "?sslmode=disable"));
  expect(WEIR_E_PROTOCOL, WEIR_STAGE_AUTH);
  try_open(loopback(web, "?sslmode=require"));
  expect(WEIR_E_TLS, WEIR_STAGE_TLS);
  FakeServer noise;
  noise.answer(std::string("S") + std::string(200, '\x7f'));
  try_open(loopback(noise, "?sslmode=require"));
  expect(WEIR_E_TLS, WEIR_STAGE_TLS);
}

TEST_F(PostgresOpen, tls_proves_what_its_mode_says) {
  try_open(server->tcp_url("weir:hunter2", "sslmode=require"));
  expect(WEIR_E_TLS, WEIR_STAGE_TLS);  // the server has none
  if (!server->offer_tls()) GTEST_SKIP() << "no openssl to make a certificate: apt install openssl";
  admin("DROP ROLE IF EXISTS someone");
  admin("CREATE ROLE someone LOGIN PASSWORD 'right'");
  const std::string root = "sslrootcert=" + server->directory() + "/root.crt";
  const auto at = [&](const std::string& name, const std::string& more) {
    return "postgresql://someone:right@" + name + ":" + std::to_string(server->port()) +
           "/postgres?hostaddr=127.0.0.1&" + more;
  };
  EXPECT_EQ(WEIR_OK, try_open(at("localhost", "sslmode=verify-full&" + root))) << said;
  EXPECT_EQ(Value::integer(1), session->one("SELECT count(*) FROM pg_stat_ssl WHERE ssl AND pid = "
                                            "pg_backend_pid()"));
  try_open(at("elsewhere", "sslmode=verify-full&" + root));
  expect(WEIR_E_TLS, WEIR_STAGE_TLS);
  EXPECT_EQ(WEIR_OK, try_open(at("elsewhere", "sslmode=verify-ca&" + root))) << said;
  try_open(at("localhost", "sslmode=verify-ca&sslrootcert=/dev/null"));
  expect(WEIR_E_TLS, WEIR_STAGE_TLS);
}

TEST_F(PostgresOpen, a_server_in_recovery_is_not_ready) {
  server->restart("hot_standby = off\n", true);
  try_open(server->url());
  expect(WEIR_E_SERVER_NOT_READY, WEIR_STAGE_SETUP, "57P03");
  server->restart("hot_standby = on\n", true);
  EXPECT_EQ(WEIR_OK, try_open(server->url())) << said;
  EXPECT_TRUE(session->is(WEIR_STATE_READ_ONLY));
  EXPECT_EQ(WEIR_E_SERVER_NOT_READY, try_open(server->url("target_session_attrs=primary"))) << said;
  EXPECT_EQ(WEIR_OK, try_open(server->url("target_session_attrs=standby"))) << said;
  EXPECT_EQ(WEIR_OK, session->ping(WEIR_PING_SESSION));
  EXPECT_EQ(WEIR_ALIVE_YES, session->alive);
  server->restart("");
}

TEST_F(PostgresOpen, the_wanted_kind_of_server_is_looked_for) {
  EXPECT_EQ(WEIR_OK, try_open(server->url(), {{"target_session_attrs", "read-write"}})) << said;
  EXPECT_EQ(WEIR_E_SERVER_NOT_READY, try_open(server->url("target_session_attrs=standby")));
  EXPECT_EQ(WEIR_OK, try_open(server->url("target_session_attrs=prefer-standby"))) << said;
}

TEST_F(PostgresOpen, the_next_endpoint_is_tried_when_one_does_not_serve) {
  const FakeServer silent;
  const std::string refused = std::to_string(closed_port());
  const std::string hosts = "host=127.0.0.1,127.0.0.1," + server->directory() +
                            " user=weir dbname=postgres port=" + refused + "," +
                            silent.port_text() + "," + std::to_string(server->port());
  const weir_time start = host.now;
  EXPECT_EQ(WEIR_OK, try_open(hosts, {{"endpoint_timeout", "2000000000"}})) << said;
  EXPECT_GE(host.now, start + 2'000 * ms);
  // Long enough for a login on a busy machine.
  patience = 4'000 * ms;
  EXPECT_EQ(WEIR_OK, try_open(hosts)) << said;  // each has its share
  const std::string none = "host=127.0.0.1,127.0.0.1 user=weir port=" + refused + "," + refused;
  EXPECT_EQ(WEIR_E_CONNECT, try_open(none));
}

// A session as the protocol begins it, without a key for cancels, and gone with the first
// statement.
std::string short_session() {
  using std::string_literals::operator""s;
  return "R\0\0\0\x08\0\0\0\0"
         "S\0\0\0\x19"
         "client_encoding\0UTF8\0"
         "Z\0\0\0\x05I"s;
}

TEST_F(PostgresOpen, a_server_that_goes_away_after_the_login_is_one_that_does_not_serve) {
  FakeServer dying;
  dying.answer(short_session());
  try_open(loopback(dying, "?sslmode=disable"));
  expect(WEIR_E_CONNECT, WEIR_STAGE_SETUP);
  EXPECT_EQ(WEIR_ERROR_TRANSIENT, session->error.flags & WEIR_ERROR_TRANSIENT);
  EXPECT_THAT(host.lines, Contains(HasSubstr("cannot be cancelled")));
  const std::string hosts = "host=127.0.0.1," + server->directory() +
                            " user=weir dbname=postgres sslmode=disable port=" + dying.port_text() +
                            "," + std::to_string(server->port());
  EXPECT_EQ(WEIR_OK, try_open(hosts)) << said;
  EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
}

// In a process of its own, which may not make one more thread.
TEST_F(PostgresOpen, a_look_up_without_a_thread_is_one_that_found_nothing) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(2);
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(3);
    postgres::Resolver resolver;
    const auto lookup = resolver.start("localhost");
    pollfd readable{lookup->fd, POLLIN, 0};
    const bool told = lookup->over && !lookup->complaint.empty() && lookup->addresses.empty();
    ::_exit(told && ::poll(&readable, 1, 0) == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

TEST_F(PostgresOpen, what_cannot_be_read_is_named_and_no_secret_shown) {
  struct Case {
    std::string url;
    std::string part;
  };
  const Case cases[] = {
      {"mysql://weir:hunter2@localhost/x", "scheme 'mysql'"},
      {"postgresql://weir:hunter2@[::1/x", "url"},
      {"postgresql://weir:hunter2@localhost:hunter2x/x", "port"},
      {"postgresql://weir:hun@ter2@hunter2/x", "%40"},
      {"postgresql://weir:1/hunter2@localhost/x", "%2F"},
      {"postgresql://weir:1?2@hunter2@localhost/x", "%40"},
      {"postgresql://weir@localhost/x?pass_word=hunter2", "pass_word"},
      {"host=localhost passwort=hunter2", "passwort"},
      {"host=localhost password='hunter2", "url"},
      {"host=localhost hunter2", "url"},
      {"postgresql://weir:hunter2@localhost/x%zz", "url"},
      {"postgresql://weir:hunter2@localhost/x?replication=database", "replication"},
      {"postgresql://weir:hunter2@localhost/x?service=main", "service"},
      {"postgresql://weir:hunter2@localhost/x?client_encoding=LATIN1", "client_encoding"},
      {"postgresql://weir:hunter2@a,b/x?hostaddr=1.2.3.4", "hostaddr"},
      {"postgresql://weir:hunter2@a,b,c/x?port=1,2", "port"},
      {"postgresql://weir:hunter2@a/x?target_session_attrs=master", "target_session_attrs"},
      {"postgresql://weir:hunter2@a/x?sslmode=hunter2", "sslmode"},
      {"postgresql://weir:hunter2@a/x?connect_timeout=soon", "connect_timeout"},
      {std::string("postgresql://weir:hunter2@a/x\0y", 31), "NUL"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(WEIR_E_CONFIG, try_open(c.url)) << c.url;
    EXPECT_THAT(said, HasSubstr(c.part));
    EXPECT_THAT(said, Not(HasSubstr("hunter2"))) << c.url;
  }
  EXPECT_EQ(WEIR_E_CONFIG,
            try_open("postgresql://weir@a/x?sslmode=require", {{"sslmode", "disable"}}));
  EXPECT_THAT(said, HasSubstr("sslmode"));
  EXPECT_EQ(WEIR_E_CONFIG, try_open("postgresql://weir:right@a/x", {{"password", "hunter2"}}));
  EXPECT_THAT(said, Not(HasSubstr("hunter2")));
}

TEST_F(PostgresOpen, files_are_relative_to_the_configuration) {
  struct Case {
    const char* given;
    const char* meant;
  };
  // system: the certificates of the machine.
  for (const Case& c : {Case{"root.crt", "/etc/app/root.crt"}, Case{"/root.crt", "/root.crt"},
                        Case{"system", "system"}}) {
    const std::string url = std::string("postgresql://a/x?sslrootcert=") + c.given;
    weir_source_args args{};
    args.struct_size = sizeof args;
    args.url = text(url);
    args.base_dir = text("/etc/app");
    postgres::Config config;
    EXPECT_EQ(WEIR_OK, postgres::parse_config(args, config, nullptr));
    EXPECT_THAT(config.parameters, Contains(Pair("sslrootcert", c.meant)));
  }
}

TEST_F(PostgresOpen, the_display_has_no_secret) {
  use("postgresql://weir:hunter2@a:1,b:2/x?sslmode=require");
  EXPECT_EQ("postgresql://weir@a:1,b:2/x", string_of(source->traits.display));
  use("postgresql://we%40ir:hun%40ter2@a/x%40y?host=@abstract");
  EXPECT_EQ("postgresql://we@ir@@abstract:5432/x@y", string_of(source->traits.display));
}

TEST_F(PostgresOpen, a_password_file_that_others_may_read_is_told_to_the_host_only) {
  const std::string path = server->directory() + "/passwords";
  std::ofstream(path) << "*:*:*:*:hunter2\n";
  ASSERT_EQ(0, ::chmod(path.c_str(), 0644));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(WEIR_OK, try_open(server->url("passfile=" + path))) << said;
  EXPECT_EQ("", ::testing::internal::GetCapturedStderr());
  EXPECT_THAT(host.lines, Contains(HasSubstr("/passwords")));
}

}  // namespace
}  // namespace weir::test
