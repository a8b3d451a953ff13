// The program under the names by which kubectl starts it.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

class KubectlPlugin : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"kubectl-nodescout", "kubectl_complete-nodescout"})
      std::filesystem::create_symlink(nodescout_program(), folder.path() / name);
  }
  Ran run(std::vector<std::string> words) {
    words.insert(words.begin(), (folder.path() / "kubectl-nodescout").string());
    return run_program(words);
  }
  std::string complete(std::vector<std::string> words) {
    words.insert(words.begin(), (folder.path() / "kubectl_complete-nodescout").string());
    return run_program(words).out;
  }

  TempDirectory folder;
};

TEST_F(KubectlPlugin, UsageTextsSayWhatIsTyped) {
  const Ran help = run({"fleet", "--help"});
  EXPECT_NE(help.out.find("Usage: kubectl nodescout fleet"), std::string::npos) << help.out;
  EXPECT_NE(help.out.find("\n  kubectl nodescout fleet --unhealthy"), std::string::npos) << help.out;
  EXPECT_EQ(help.out.find("\n  nodescout "), std::string::npos) << help.out;
  EXPECT_NE(run({"fleat"}).err.find("Try `kubectl nodescout --help`"), std::string::npos);
  EXPECT_NE(run({"fleet", "--nonsense"}).err.find("Try `kubectl nodescout fleet --help`"), std::string::npos);
}

TEST_F(KubectlPlugin, Completes) {
  EXPECT_EQ(complete({"fle"}), "fleet\n:4\n");
  EXPECT_EQ(complete({"fleet", "ou"}), "outliers\n:4\n");
  EXPECT_EQ(complete({"fleet", "--out"}), "--output\n:4\n");
  EXPECT_EQ(complete({"fleet", "-o", "y"}), "yaml\n:4\n");
  EXPECT_EQ(complete({"fleet", "--kubeconfig", ""}), ":0\n") << "files";
  EXPECT_EQ(complete({"fleet", "-l", "outliers", "--grou"}), "--group-by\n:4\n") << "a value is not a command";
  EXPECT_EQ(complete({"nonsense-of-that-name"}), ":4\n");
  EXPECT_NE(complete({""}).find("fleet\n"), std::string::npos);
  EXPECT_NE(complete({}).find("fleet\n"), std::string::npos);
}

TEST_F(KubectlPlugin, ACommandThatRunsByItselfMayHaveOthersInside) {
  // Not "unknown command": these are values of options.
  const std::string none = (folder.path() / "none").string();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"fleet", "-l", "a=b", "--kubeconfig", none},
                                                {"fleet", "--kubeconfig", none},
                                                {"fleet", "outliers", "-l", "a=b", "--kubeconfig", none}}) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find(none + ": "), std::string::npos) << ran.err;
  }
  EXPECT_EQ(run({"fleet", "outlires"}).status, 2);
  EXPECT_EQ(run({"fleet", "--sort", "modle"}).status, 2);
  EXPECT_NE(run({"fleet", "--reverse", "--kubeconfig", none}).err.find("--sort"), std::string::npos);
  EXPECT_EQ(run({"fleet", "-w", "-o", "csv"}).status, 2);
  EXPECT_EQ(run({"fleet", "--group-by", "model", "-o", "html"}).status, 2);
}

TEST_F(KubectlPlugin, OptionsBeforeAnInnerCommandAreItsOwn) {
  const std::string none = (folder.path() / "none").string();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"fleet", "--kubeconfig", none, "outliers"},
                                                {"fleet", "--kubeconfig", none, "-l", "a=b", "-o", "csv", "outliers"},
                                                {"fleet", "a=b", "outliers", "--kubeconfig", none}}) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find(none + ": "), std::string::npos) << ran.err;
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--unhealthy"}, {"-w"}, {"--reverse"}, {"--sort", "model"}, {"-n", "x"}}) {
    std::vector<std::string> all{"fleet"};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"outliers", "--kubeconfig", none});
    const Ran ran = run(all);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find("is not an option of `outliers`"), std::string::npos) << ran.err;
  }
  Ran ran = run({"fleet", "-o", "html", "outliers", "--kubeconfig", none});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("html"), std::string::npos) << "a format that outliers do not have: " << ran.err;
  ran = run({"fleet", "-l", "a=b", "outliers", "-l", "c=d", "--kubeconfig", none});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("both before and after"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace nodescout::test
