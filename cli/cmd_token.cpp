// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/local_file.hpp"
#include "cli/output.hpp"
#include "cli/people.hpp"
#include "cli/token_resources.hpp"
#include "cli/usage.hpp"
#include "domain/algorithm.hpp"
#include "domain/data_path.hpp"
#include "domain/random.hpp"
#include "security/token.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

namespace waybill::cli {

namespace {

constexpr std::uint64_t certificateLimit = 1ULL << 20U;

struct TokenOptions {
  std::string audience;
  std::vector<std::string> operations;
  std::vector<std::string> resources;
  std::string replyTo;
  std::string subject;
  std::string lifetime = "10m";
};

/// A certificate in a file, or that of a trusted instance.
security::Certificate audience(const std::string &name, Context &context) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(name, failed)) {
    return security::Certificate::fromPem(readWholeFile(name, certificateLimit));
  }
  return security::Certificate::fromPem(context.trusted(name).certificatePem);
}

void checkOperation(const std::string &name) {
  static const std::set<std::string> known{"Copy",
                                           "CopyResponse",
                                           "Receive",
                                           "Delete",
                                           "List",
                                           "Describe",
                                           "GetTransfer",
                                           "ListTransfers",
                                           "CancelTransfer",
                                           "ListAlgorithms",
                                           "DescribeAlgorithm",
                                           "Invoke",
                                           "GetJob",
                                           "ListJobs",
                                           "CancelJob",
                                           "TrustKey",
                                           "ListKeys",
                                           "RevokeKey",
                                           "Grant",
                                           "Revoke",
                                           "ListGrants"};
  if (!known.contains(name)) {
    throw WrongUsage("--operation takes operations as the WSDL names them, such as Copy or Receive, not '" + name +
                     "'");
  }
}

/// Whether a token for these operations may name algorithms.
bool concernAlgorithms(const std::vector<std::string> &operations) {
  return std::any_of(operations.begin(), operations.end(), [](const std::string &operation) {
    return operation == "Invoke" || operation == "ListAlgorithms" || operation == "DescribeAlgorithm";
  });
}

/// A path prefix; the id of an object, by itself or as its URL; or, with `algorithms`, one or the beginning of one.
std::string resourceOf(const std::string &text, bool algorithms) {
  if (text.starts_with('/')) {
    return parsePathPrefix(text);
  }
  const auto id = text.starts_with("https://") ? text.substr(text.rfind('/') + 1) : text;
  if (id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos) {
    return text;
  }
  auto algorithm = text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
  if (algorithms && isAlgorithmId(algorithm)) {
    return algorithm;
  }
  throw WrongUsage("--resource takes a path such as /docs, the id of an object, or, with --operation Invoke, an "
                   "algorithm such as text/sort, not '" +
                   text + "'");
}

TokenClaims claimsOf(const TokenOptions &options, const security::Certificate &recipient, Context &context) {
  const auto lifetime = parseDuration(options.lifetime, "--lifetime");
  if (lifetime > longestTokenLife) {
    note("instances refuse tokens for more than an hour, where their operators have not set tokens.maximum_lifetime");
  }
  TokenClaims claims;
  claims.id = randomId(context.random());
  claims.issuer = context.key().id();
  claims.audience = recipient.instanceId();
  claims.operations = options.operations;
  for (const auto &operation : claims.operations) {
    checkOperation(operation);
  }
  for (const auto &resource : options.resources) {
    claims.resources.push_back(resourceOf(resource, concernAlgorithms(options.operations)));
  }
  if (!options.replyTo.empty()) {
    if (!options.replyTo.starts_with("https://")) {
      throw WrongUsage("--reply-to takes an address such as https://host:8443/services/data, not '" + options.replyTo +
                       "'");
    }
    claims.replyTo = options.replyTo;
  }
  if (!options.subject.empty()) {
    claims.subject = options.subject;
  }
  claims.notBefore = std::chrono::floor<std::chrono::seconds>(context.clock().now());
  claims.notAfter = claims.notBefore + lifetime;
  return claims;
}

nlohmann::ordered_json toJson(const TokenClaims &claims, const std::string &token) {
  nlohmann::ordered_json json{{"token", token},
                              {"id", claims.id},
                              {"issuer", claims.issuer},
                              {"audience", claims.audience},
                              {"operations", claims.operations},
                              {"resources", claims.resources}};
  if (claims.subject) {
    json["subject"] = *claims.subject;
  }
  if (claims.replyTo) {
    json["replyTo"] = *claims.replyTo;
  }
  json["notBefore"] = formatUtc(claims.notBefore);
  json["notAfter"] = formatUtc(claims.notAfter);
  return json;
}

int runToken(const TokenOptions &options, Context &context) {
  const auto recipient = audience(options.audience, context);
  const auto claims = claimsOf(options, recipient, context);
  const auto token = security::sealToken(claims, context.key(), recipient);
  if (context.globals().json) {
    printJson(toJson(claims, token));
  } else {
    printText(token + "\n");
  }
  return 0;
}

} // namespace

void addToken(CLI::App &app, Work &work) {
  auto options = std::make_shared<TokenOptions>();
  auto *command =
      app.add_subcommand("token", "print a token: good for one call at one instance, for use by any program");
  command
      ->add_option("--audience", options->audience,
                   "who may read it: URL, id or alias of a trusted instance, or a file with its certificate")
      ->option_text("INSTANCE")
      ->required();
  command->add_option("--operation", options->operations, "what it is good for, such as Copy,Receive")
      ->option_text("OPERATION,...")
      ->delimiter(',')
      ->required();
  command
      ->add_option("--resource", options->resources,
                   "what it is limited to: a path prefix, the id of an object, an algorithm; may be given again")
      ->option_text("PATH|ID|ALGORITHM")
      ->expected(1)
      ->take_all();
  command->add_option("--reply-to", options->replyTo, "the only address that a reply may go to")->option_text("URL");
  command->add_option("--subject", options->subject, "user of this home on whose behalf it is used")
      ->option_text("NAME");
  command->add_option("--lifetime", options->lifetime, "how long it is good: 45s, 30m, 1h; 10m when left out")
      ->option_text("TIME");
  command->footer(
      "It goes into the SOAP header wb:Token, and can be given to a program that must not have the key. "
      "Whoever holds it can use it once, and can\n"
      "neither read nor change it. For Invoke, an algorithm (text/sort), or all below one (text), and the paths of "
      "the data that it may read and write.\n\nExample:\n  waybill token --audience lab --operation Copy --resource "
      "/docs/paper.pdf --lifetime 30m\n  waybill token --audience lab --operation Invoke --resource text/sort");
  command->callback([options, &work] { work = [options](Context &context) { return runToken(*options, context); }; });
}

} // namespace waybill::cli
