// The schema table: every key of a scenario with its type, range, default and meaning.
#include "scenarios/scenario.hpp"
#include "scenarios/schema.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kInt32Max = 2'147'483'647;
constexpr std::int64_t kDurationMaxNs = 1'000'000'000'000;
constexpr std::int64_t kTimeMaxNs = 1'000'000'000'000'000'000;
constexpr std::int64_t kListMax = 100'000;
constexpr std::int64_t kTextMax = 4'096;

constexpr std::string_view kGenerated = "poisson|profile";
constexpr std::string_view kTraces =
    "azure-csv|burstgpt-csv|vidur-csv|mooncake-jsonl|qwen-jsonl|llmservingsim-jsonl";
constexpr std::string_view kKinds =
    "poisson|azure-csv|profile|requests|burstgpt-csv|vidur-csv|mooncake-jsonl|qwen-jsonl|"
    "llmservingsim-jsonl";
constexpr std::string_view kArriving =
    "poisson|azure-csv|profile|burstgpt-csv|vidur-csv|mooncake-jsonl|qwen-jsonl|"
    "llmservingsim-jsonl";
constexpr std::string_view kGapped = "poisson|profile|vidur-csv";
constexpr std::string_view kSchedules = "sync|overlap";

constexpr KeySpec make(std::string_view path, KeyType type, std::string_view help) {
  KeySpec spec;
  spec.path = path;
  spec.type = type;
  spec.help = help;
  return spec;
}

constexpr KeySpec group(std::string_view path, std::string_view help) {
  return make(path, KeyType::group, help);
}

constexpr KeySpec integer(std::string_view path, std::int64_t min, std::int64_t max,
                          std::string_view fallback, std::string_view help) {
  KeySpec spec = make(path, KeyType::integer, help);
  spec.min = min;
  spec.max = max;
  spec.fallback = fallback;
  return spec;
}

constexpr KeySpec integers(std::string_view path, std::int64_t min, std::int64_t max,
                           std::int64_t size_max, std::string_view help) {
  KeySpec spec = integer(path, min, max, {}, help);
  spec.type = KeyType::integers;
  spec.size_max = size_max;
  return spec;
}

constexpr KeySpec decimal(std::string_view path, std::int64_t min, std::int64_t max, int digits,
                          std::string_view fallback, std::string_view help) {
  KeySpec spec = integer(path, min, max, fallback, help);
  spec.type = KeyType::decimal;
  spec.digits = digits;
  return spec;
}

constexpr KeySpec share(std::string_view path, std::string_view fallback, std::string_view help) {
  return decimal(path, 0, 1'000'000, 6, fallback, help);
}

constexpr KeySpec shares(std::string_view path, std::int64_t size_max, std::string_view help) {
  KeySpec spec = share(path, {}, help);
  spec.type = KeyType::decimals;
  spec.size_max = size_max;
  return spec;
}

constexpr KeySpec boolean(std::string_view path, std::string_view fallback, std::string_view help) {
  KeySpec spec = make(path, KeyType::boolean, help);
  spec.fallback = fallback;
  return spec;
}

constexpr KeySpec text(std::string_view path, std::int64_t size_max, std::string_view help) {
  KeySpec spec = make(path, KeyType::text, help);
  spec.min = 1;
  spec.max = size_max;
  return spec;
}

constexpr KeySpec choice(std::string_view path, std::string_view choices, std::string_view fallback,
                         std::string_view help) {
  KeySpec spec = make(path, KeyType::choice, help);
  spec.choices = choices;
  spec.fallback = fallback;
  return spec;
}

constexpr KeySpec many(KeyType type, std::string_view path, std::int64_t size_max,
                       std::string_view help) {
  KeySpec spec = make(path, type, help);
  spec.size_max = size_max;
  return spec;
}

constexpr KeySpec range(KeySpec spec, std::int64_t min, std::int64_t max) {
  spec.min = min;
  spec.max = max;
  return spec;
}

constexpr KeySpec only(std::string_view kinds, KeySpec spec) {
  spec.kinds = kinds;
  return spec;
}

constexpr KeySpec required(KeySpec spec) {
  spec.required = true;
  return spec;
}

constexpr KeySpec by_default(std::string_view fallback, KeySpec spec) {
  spec.fallback = fallback;
  return spec;
}

constexpr KeySpec row(std::string_view path, std::string_view help) {
  return choice(path, kSchedules, {}, help);
}

void add_run_keys(std::vector<KeySpec>& out) {
  out.insert(
      out.end(),
      {text("name", 128, "name of the run: letters, digits, '.', '_', '-'; default: the file's"),
       text("description", kTextMax, "what the scenario reaches, for people"),
       by_default("1",
                  make("seed", KeyType::seed, "root of every random draw and of the digest key")),
       choice("schedule", kSchedules, "\"overlap\"", "value of every row that `rows` leaves out"),
       choice("policy",
              "exact|predict-sum|predict-rows|predict-rows-hidden|upper-bound|all-accepted",
              "\"predict-rows-hidden\"", "what the host believes before it knows"),
       choice("draft_path", "gather|self", "\"gather\"", "how hidden rows reach later sub-steps"),
       choice("encoder_test", "encoder_len|step_idx", "\"encoder_len\"",
              "what tells a later sub-step that a slot was in its encoder phase (path self; no "
              "effect on gather); step_idx is the meaning that #7001 gave up"),
       share("ngram", "0",
             "share of decode steps in which an n-gram match appends drafts behind those of the "
             "MTP head; only where engine.num_model_steps is less than K"),
       choice("copies", "compute|own", "\"compute\"", "stream of the device-to-host copies"),
       choice("arrivals", "step|time", "\"step\"",
              "unit of arrivals: loop iterations, or virtual nanoseconds"),
       boolean("unguarded", "false", "a launch that is too small does not end the run"),
       group("rows", "rows of the synchronisation table, on top of `schedule`"),
       row("rows.R0", "resolve: token counts of this step"),
       row("rows.R1", "anything to do, after unified_update"),
       row("rows.R2", "save_output; overlap sends one step later"),
       row("rows.R3", "draft loop skip, after draft preprocess"),
       row("rows.R4", "row count of eagle_get_hidden_states"),
       row("rows.R5", "row count of eagle_get_self_hidden_states (path self)"),
       row("rows.R6", "rows of the draft launches"),
       row("rows.R7", "any prefill, for the choice of graph or eager"),
       row("rows.R8", "draft output rows (path self)"),
       row("rows.R9", "draft loop skip, after draft_model_update"),
       row("rows.R10", "anything to do, after schedule_cache"),
       choice("rows.R11", "sync|overlap|bound", {}, "output rows R; bound launches n*W unasked"),
       row("rows.R12", "barrier of tensor-parallel ranks"),
       row("rows.R13", "choice of the CUDA-graph size"),
       group("limits", "when a run is ended early"),
       integer("limits.steps", 0, kDurationMaxNs, "0",
               "end after this many iterations; 0: when all is done")});
}

void add_engine_keys(std::vector<KeySpec>& out) {
  out.insert(
      out.end(),
      {group("engine", "sizes of the runtime and of its engine"),
       integer("engine.max_num_seqs", 1, 512, "64", "B, slots"),
       integer("engine.num_speculative_tokens", 1, 16, "3", "K, drafts a step; W = K + 1"),
       integer("engine.num_model_steps", 0, 16, "0",
               "M, sub-steps of the MTP head, at most K; 0: K"),
       integer("engine.block_size", 1, 4096, "64", "tokens in a KV block"),
       integer("engine.kv_blocks", 0, kInt32Max, "0",
               "KV blocks in the pool; 0: enough for B requests of max_model_len"),
       integer("engine.enc_dec_block_num", 1, 1024, "2", "table entries beyond max_model_len"),
       integer("engine.max_model_len", 2, 1'048'576, "16384", "tokens, prompt and output together"),
       integer("engine.max_num_batched_tokens", 2, 1'048'576, "8192",
               "token budget of a step, at least B*W"),
       integer("engine.pinned_ring_depth", 1, 64, "1", "entries of each pinned buffer"),
       choice("engine.role", "mixed|prefill", "\"mixed\"", "prefill: this is a P node"),
       boolean("engine.cuda_graphs", "false", "true: the usual captured sizes up to B*W rows"),
       integers("engine.cuda_graphs", 1, 1'048'576, 1024, "captured sizes in rows, each once")});
}

void add_model_keys(std::vector<KeySpec>& out) {
  out.insert(
      out.end(),
      {group("model", "what produces tokens"),
       choice("model.kind", "scripted", "\"scripted\"", "tokens are hashes; no weights"),
       integer("model.vocab_size", 16, kInt32Max, "32000", "token ids are below it"),
       integer("model.padding_id", 0, kInt32Max, "2", "token id of padding rows"),
       by_default("[2]", integers("model.eos", 0, kInt32Max, 16, "end-of-sequence token ids")),
       group("acceptance", "how many drafts the target accepts"),
       choice("acceptance.kind", "constant|per-position|list", "\"constant\"",
              "one probability; one a draft; recorded commits a step"),
       only("constant", share("acceptance.p", "0.8", "probability that a draft is right")),
       only("per-position",
            required(shares("acceptance.p", 16,
                            "probability that draft j is right if those before are; K or more"))),
       only("list", range(many(KeyType::lists, "acceptance.lists", kListMax,
                               "commits a step, the target's own token included; request i takes "
                               "list i mod size"),
                          1, 1024)),
       only("list", text("acceptance.path", kTextMax,
                         "instead: file of JSON lines, each with `accept_lengths`, or of "
                         "Spec-Bench's answers")),
       only("list", text("acceptance.markov", kTextMax,
                         "instead: an embedded Markov profile, or a JSON file of one; each "
                         "request's list is drawn from it")),
       group("timing", "virtual durations; a forward over n rows takes base + n * row"),
       choice("timing.model", "line|dense-7b|dense-100b-tp8|moe-235b-a22b-tp8", "\"line\"",
              "line: the next four keys; else a model's shape on H200s, bf16, tp8: one of eight"),
       integer("timing.forward_base_ns", 0, kDurationMaxNs, "8000000", "main forward"),
       integer("timing.forward_row_ns", 0, kDurationMaxNs, "20000", "main forward, a row"),
       integer("timing.draft_base_ns", 0, kDurationMaxNs, "400000", "one sub-step of the MTP head"),
       integer("timing.draft_row_ns", 0, kDurationMaxNs, "1000", "the same, a row"),
       integer("timing.kernel_ns", 0, kDurationMaxNs, "2000", "any bookkeeping kernel"),
       integer("timing.copy_ns", 0, kDurationMaxNs, "2000", "any pinned copy"),
       integer("timing.host_op_ns", 0, kDurationMaxNs, "4000", "any host operation or launch"),
       integer("timing.host_step_ns", 0, kDurationMaxNs, "0",
               "extra host cost of a step that launches")});
}

void add_workload_keys(std::vector<KeySpec>& out) {
  out.insert(
      out.end(),
      {required(group("workload", "which requests arrive")),
       required(choice("workload.kind", kKinds, {},
                       "drawn lengths; a request trace; drawn from fitted quantiles; listed here; "
                       "request traces of other formats")),
       only(kTraces, required(text("workload.path", kTextMax, "the file of the request trace"))),
       only(kTraces, integer("workload.from_ns", 0, kTimeMaxNs, "0",
                             "leave out rows before this time since the first; arrivals count "
                             "from it")),
       only(kTraces, integer("workload.until_ns", 0, kTimeMaxNs, "0",
                             "end before the first row at this time or later; 0: at the last")),
       only(kArriving, decimal("workload.rate_scale", 1, kDurationMaxNs, 6, "1",
                               "arrivals come at this many times their rate")),
       only("profile", required(text("workload.source", kTextMax, "what the quantiles describe"))),
       only(kGenerated, required(integer("workload.requests", 1, 1'000'000'000, {},
                                         "how many requests arrive"))),
       only(kTraces, integer("workload.requests", 0, 1'000'000'000, "0",
                             "take this many rows at most; 0: all")),
       only("requests", required(many(KeyType::groups, "workload.requests", kListMax,
                                      "the requests, in order of arrival"))),
       only(kGapped, decimal("workload.rate_per_s", 1, 1'000'000'000, 3, {},
                             "mean rate of arrivals (Poisson)")),
       only(kGapped, decimal("workload.gap_steps", 0, 1'000'000'000, 3, {},
                             "instead: mean iterations between arrivals; 0: all at once")),
       integer("workload.step_ns", 1, kDurationMaxNs, "10000000",
               "length of an iteration where times become steps or steps times"),
       only("poisson", required(integer("workload.prompt", 1, 1'048'576, {}, "prompt tokens"))),
       only(kGenerated, required(group("workload.prompt", "prompt tokens, as quantiles"))),
       required(shares("workload.prompt.shares", 256, "rising from 0 to 1")),
       required(integers("workload.prompt.tokens", 1, 1'048'576, 256,
                         "length at each share, linear in between")),
       only("poisson", required(integer("workload.output", 1, 1'048'576, {}, "output tokens"))),
       only(kGenerated, required(group("workload.output", "output tokens, as quantiles"))),
       required(shares("workload.output.shares", 256, "rising from 0 to 1")),
       required(integers("workload.output.tokens", 1, 1'048'576, 256,
                         "length at each share, linear in between")),
       choice("workload.stop", "eos|length|sequence", "\"eos\"",
              "what ends a request after its output length: an EOS token, max_dec_len, or a stop "
              "sequence one token before"),
       integer("workload.stop_len", 1, kStopLenMax, "2",
               "tokens of a stop sequence, clipped to the tokens before its end"),
       integer("workload.min_tokens", 0, 1'048'576, "0",
               "a step that ends with fewer generated tokens matches no stop sequence"),
       share("workload.cached_share", "0",
             "share of each prompt that a prefix cache holds, at most all but one token"),
       integer("workload.max_dec_len", 0, 1'048'576, "0",
               "limit of generated tokens; 0, or too many: what max_model_len leaves"),
       only(kArriving, share("workload.abort_share", "0",
                             "share of the requests that are aborted, after a number of tokens "
                             "drawn evenly from 0 to their output")),
       only(kArriving, share("workload.preempt_share", "0",
                             "share of the requests that are preempted once, likewise")),
       only(kArriving, group("workload.dnode", "requests whose prompt was computed on a P node")),
       share("workload.dnode.fraction", "0",
             "share of them; one that ends with its first token is prefilled here all the same"),
       integer("workload.dnode.drafts", 0, 16, "1", "drafts each brings, at most K")});
}

void add_request_keys(std::vector<KeySpec>& out) {
  out.insert(
      out.end(),
      {integer("workload.requests.*.arrival", 0, kTimeMaxNs, "0",
               "iteration, or nanoseconds with arrivals: time"),
       required(integer("workload.requests.*.prompt", 1, 1'048'576, {}, "prompt tokens")),
       integer("workload.requests.*.output", 1, 1'048'576, {}, "output tokens; see `stop`"),
       integer("workload.requests.*.max_dec_len", 1, 1'048'576, {},
               "limit of generated tokens; default: that of the workload"),
       integer("workload.requests.*.eos_at", 0, 1'048'576, {},
               "instead of output: the eos_at-th generated token is EOS; 0: none is"),
       integer(
           "workload.requests.*.stop_at", 0, 1'048'576, {},
           "instead of output: a stop sequence ends at the stop_at-th generated token; 0: none"),
       integer("workload.requests.*.stop_len", 1, kStopLenMax, {},
               "its tokens, clipped to stop_at; default: that of the workload"),
       integer("workload.requests.*.min_tokens", 0, 1'048'576, {},
               "fewest tokens it may match at; default: that of the workload"),
       integer("workload.requests.*.cached_prompt", 0, 1'048'575, {},
               "prompt tokens that a prefix cache holds; default: the workload's share"),
       integer("workload.requests.*.dnode_drafts", 0, 16, {}, "comes from a P node with so many"),
       integers("workload.requests.*.accept", 1, 1024, kListMax,
                "commits a step (acceptance.kind: list)"),
       integer("workload.requests.*.abort_after", 0, 1'048'576, {},
               "abort once so many tokens are committed; 0: right behind its admission"),
       integer("workload.requests.*.preempt_after", 0, 1'048'576, {},
               "preempt once so many tokens are committed; 0: one insert after its admission")});
}

}  // namespace

const std::vector<KeySpec>& schema() {
  static const std::vector<KeySpec> table = [] {
    std::vector<KeySpec> out;
    add_run_keys(out);
    add_engine_keys(out);
    add_model_keys(out);
    add_workload_keys(out);
    add_request_keys(out);
    return out;
  }();
  return table;
}

}  // namespace tandem
