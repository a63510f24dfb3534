"""The rules for Prometheus and the dashboard for Grafana ask for what rescind has, and lead to where help is."""
import json
import re
import shutil
import subprocess
import unittest

import yaml

from places import DEPLOYMENT, ROOT

MONITORING = DEPLOYMENT / "monitoring"
RULES = MONITORING / "rescind.rules.yml"
SERVICE = (ROOT / "docs" / "service.md").read_text()
CODES = (ROOT / "docs" / "codes.md").read_text()
PROMTOOL = shutil.which("promtool")
# What Prometheus itself has of whatever it scrapes, and the labels that it adds.
OF_PROMETHEUS, ADDED = {"up"}, {"job", "instance", "le"}
SELECTOR = re.compile(r"\b(?P<metric>up\b|rescind_\w+|job_code:[\w:]+)(?:\{(?P<labels>[^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
# Whatever is grouped, joined or shown by.
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


def metrics() -> dict:
    """Of each metric of docs/service.md, its labels and the row that describes it."""
    found = {}
    for row in re.findall(r"^\| (`rescind_.*) \|$", SERVICE, re.MULTILINE):
        for name, labels in re.findall(r"`(rescind_\w+)(?:\{([\w,]+)\})?`", row.split(" | ")[0]):
            found[name] = (set(labels.split(",")) if labels else set(), row)
    return found


def codes(section: str) -> list:
    """The codes of a section of docs/codes.md."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", CODES, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def rules() -> list:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def recorded() -> dict:
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def expressions() -> list:
    """Of each rule and each panel, its name and what it asks for."""
    found = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        found += [(panel["title"], target["expr"]) for target in panel["targets"]]
    return found


def source(metric: str) -> str:
    """The metric that docs/service.md has: a recorded one is made of another, and a histogram has three."""
    if metric in recorded():
        (metric,) = set(re.findall(r"\brescind_\w+", recorded()[metric]))
    base = re.sub(r"_(bucket|sum|count)$", "", metric)
    return metric if metric in metrics() else base


def anchors(page: str) -> set:
    """Of the headings of a page, their anchors, as GitHub and mdBook make them."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Documented(unittest.TestCase):
    def test_the_documentation_is_understood(self):
        self.assertGreater(len(metrics()), 40)
        self.assertEqual(metrics()["rescind_aws_calls_total"][0], {"service", "operation", "result"})
        self.assertIn("iam_unchangeable", codes("Alerts"))
        self.assertIn("held", anchors("docs/runbook.md"))

    def test_each_metric_and_label_is_in_the_documentation_of_the_service(self):
        known = metrics()
        for name, asked in expressions():
            with self.subTest(name):
                selectors = list(SELECTOR.finditer(asked))
                self.assertTrue(selectors)
                labels = set(ADDED)
                for selector in selectors:
                    metric = source(selector["metric"])
                    self.assertIn(metric, known.keys() | OF_PROMETHEUS)
                    own = known[metric][0] if metric in known else set()
                    labels |= own
                    for label, _, value in MATCHER.findall(selector["labels"] or ""):
                        self.assertIn(label, own | ADDED, f"{metric} has no such label")
                        if label not in ADDED:
                            self.see_values(metric, label, value)
                for group in GROUPED.findall(asked):
                    self.assertLessEqual({label.strip() for label in group.split(",")}, labels)

    def see_values(self, metric: str, label: str, value: str):
        for one in filter(None, value.split("|")):
            if label == "code":
                section = {"rescind_alerts_total": "Alerts", "rescind_decisions_total": "Decisions"}[metric]
                self.assertIn(one, codes(section))
            else:
                self.assertIn(f"`{one}`", metrics()[metric][1], f"{metric}: {label}")

    def test_the_documented_metrics_are_those_that_the_service_describes(self):
        described = set(re.findall(r'"(rescind_\w+)"', (ROOT / "src" / "service" / "metrics.rs").read_text()))
        self.assertEqual(set(metrics()), described)


class Alerts(unittest.TestCase):
    def test_each_has_a_severity_a_summary_and_a_runbook_that_is_there(self):
        alerts = [rule for rule in rules() if "alert" in rule]
        self.assertEqual(len({rule["alert"] for rule in alerts}), len(alerts))
        for rule in alerts:
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ["critical", "warning"])
                self.assertTrue(rule["annotations"]["summary"].endswith("."))
                page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
                self.assertIn(page, ["docs/runbook.md", "docs/codes.md"])
                self.assertIn(anchor, anchors(page))

    def test_each_code_wakes_somebody_or_is_seen_to_the_same_day_and_none_does_both(self):
        """What no alert names falls to RescindAlert, which leaves out what the others name."""
        named, rest = [], None
        for rule in rules():
            for label, operator, value in MATCHER.findall(rule["expr"]):
                if label == "code" and rule["expr"].startswith("job_code:"):
                    if operator == "!~":
                        self.assertEqual((rule["alert"], rest), ("RescindAlert", None))
                        rest = value.split("|")
                    else:
                        named += value.split("|")
        self.assertEqual(len(named), len(set(named)))
        # RescindLogFails does not wait for it: it is counted by a host that cannot write.
        self.assertEqual(sorted(rest), sorted([*named, "log_unreachable"]))

    def test_gauges_are_those_of_the_host_that_leads(self):
        """One that follows keeps what it had, except for what is about the log."""
        current = {"rescind_leader", "rescind_log_epoch", "rescind_log_lag_seconds"}
        for name, asked in expressions():
            gauges = {selector["metric"] for selector in SELECTOR.finditer(asked)} - current - OF_PROMETHEUS
            gauges = {metric for metric in gauges if not re.search(r"_total$|_bucket$|^job_code:", metric)}
            if gauges:
                self.assertIn("and on (job, instance) rescind_leader == 1", asked, name)

    def test_the_page_names_each_alert(self):
        page = (ROOT / "docs" / "monitoring.md").read_text()
        named = set(re.findall(r"`(Rescind\w+)`", page))
        self.assertEqual(named, {rule["alert"] for rule in rules() if "alert" in rule})

    def test_promtool_takes_them_and_they_are_raised_when_they_should_be(self):
        if not PROMTOOL:
            self.skipTest("NOT RUN: promtool is not on the PATH (Debian: the package prometheus)")
        here = ROOT / "tests" / "deployment"
        for arguments in [["check", "rules", str(RULES)], ["test", "rules", str(here / "rescind.rules.test.yml")]]:
            done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, cwd=here)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_has_a_test_for_promtool(self):
        tests = (ROOT / "tests" / "deployment" / "rescind.rules.test.yml").read_text()
        untested = [rule["alert"] for rule in rules() if "alert" in rule and rule["alert"] not in tests]
        self.assertEqual(untested, [])


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads((MONITORING / "dashboard.json").read_text())

    def test_it_needs_no_plugin_and_its_data_source_is_chosen(self):
        self.assertLessEqual({panel["type"] for panel in self.dashboard["panels"]}, {"stat", "timeseries"})
        wanted = {"type": "prometheus", "uid": "${datasource}"}
        for panel in self.dashboard["panels"]:
            for place in [panel, *panel["targets"]]:
                self.assertEqual(place["datasource"], wanted, panel["title"])
        variables = {one["name"]: one["type"] for one in self.dashboard["templating"]["list"]}
        self.assertEqual(variables, {"datasource": "datasource", "job": "query"})
        self.assertNotIn("id", self.dashboard)

    def test_it_is_one_screen_on_which_nothing_overlaps(self):
        taken = set()
        for panel in self.dashboard["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
        # 24 columns, and rows of 38 pixels: what 1080 lines show.
        self.assertEqual({x for x, _ in taken}, set(range(24)))
        self.assertLessEqual(max(y for _, y in taken), 24)
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(set(ids)), len(ids))

    def test_every_panel_is_of_the_chosen_job(self):
        for panel in self.dashboard["panels"]:
            for target in panel["targets"]:
                self.assertIn('job=~"$job"', target["expr"], panel["title"])


if __name__ == "__main__":
    unittest.main()
