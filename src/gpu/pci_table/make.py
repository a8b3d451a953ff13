#!/usr/bin/env python3
"""Makes the table of GPUs (rows.h) from a pci.ids file, overrides.txt and exclusions.txt.

    make.py PCI_IDS           write rows.h anew; look at the diff, then commit it
    make.py --check PCI_IDS   change nothing; fail if rows.h is stale (where it was made from the same version), or if
                              a GPU of PCI_IDS has neither a row nor a line in exclusions.txt

What is a GPU is decided by the chip that pci.ids names: see CHIPS. Names come from the product in brackets by the rules
below. What pci.ids lacks or has wrong (memory, boards, several products of one id) is in overrides.txt, with sources.
"""

import difflib
import os
import re
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = os.path.join(HERE, "rows.h")

# Vendor: chip at the beginning of a name, as a regular expression; its family; for AMD also the family that the kernel
# driver reports (AMDGPU_FAMILY_*, drivers/gpu/drm/amd/amdgpu/amdgpu_discovery.c); "soc" if it sits in a processor.
# The first match counts.
CHIPS = {
    "10de": [
        (r"GK\d", "kepler", "", ""),
        (r"GM\d", "maxwell", "", ""),
        (r"GP\d", "pascal", "", ""),
        (r"GV\d", "volta", "", ""),
        (r"TU\d", "turing", "", ""),
        (r"GA\d|GN20", "ampere", "", ""),
        (r"AD\d|GN21", "ada-lovelace", "", ""),
        (r"GH\d", "hopper", "", ""),
        (r"GB10B|GB20B|GB10 ", "blackwell", "", "soc"),
        (r"GB\d", "blackwell", "", ""),
        (r"GR\d", "rubin", "", ""),
    ],
    "1002": [
        (r"Kaveri|Kabini|Temash|Mullins", "gcn2", "KV", "soc"),
        (r"Wani|Stoney", "gcn3", "CZ", "soc"),
        (r"Ellesmere|Baffin|Lexa|Polaris", "gcn4", "VI", ""),
        (r"Vega (10|12|20)\b", "gcn5", "AI", ""),
        (r"Raven|Picasso|Renoir|Lucienne|Cezanne|Barcelo|Fenghuang", "gcn5", "RV", "soc"),
        (r"Navi 1\d", "rdna1", "NV", ""),
        (r"Cyan Skillfish", "rdna1", "NV", "soc"),
        (r"Navi 2\d", "rdna2", "NV", ""),
        (r"VanGogh|Sephiroth", "rdna2", "VGH", "soc"),
        (r"Rembrandt", "rdna2", "YC", "soc"),
        (r"Raphael|Granite Ridge", "rdna2", "GC_10_3_6", "soc"),
        (r"Mendocino", "rdna2", "GC_10_3_7", "soc"),
        (r"Navi 3\d", "rdna3", "GC_11_0_0", ""),
        (r"Phoenix|HawkPoint", "rdna3", "GC_11_0_1", "soc"),
        (r"Strix|Krackan", "rdna3.5", "GC_11_5_0", "soc"),
        (r"Navi 4\d", "rdna4", "GC_12_0_0", ""),
        (r"Arcturus", "cdna1", "AI", ""),
        (r"Aldebaran", "cdna2", "AI", ""),
        (r"Aqua Vanjaram", "cdna3", "AI", ""),
    ],
    "8086": [
        (r"DG1|SG1", "xe-lp", "", ""),
        (r"DG2|ACMP|ATS-M", "xe-hpg", "", ""),
        (r"Ponte Vecchio", "xe-hpc", "", ""),
        (r"Battlemage", "xe2-hpg", "", ""),
        (r"Crescent Island", "xe3p", "", ""),
        (r"(Skylake|Kaby|Coffee ?Lake|Whiskey ?Lake|Comet ?Lake|Gemini ?Lake|Apollo Lake|Amber)"
         r".*\b(Graphics|GT)", "gen9", "", "soc"),
        (r"(Ice Lake|Elkhart Lake|Jasper ?Lake|Lakefield).*\bGraphics|Iris Plus Graphics G", "gen11", "", "soc"),
        (r"(Tiger ?Lake|Rocket ?Lake|Alder ?Lake|Raptor ?Lake).*\bGraphics(?! Port)", "xe-lp", "", "soc"),
        (r"(Meteor|Arrow) Lake.*\b(Graphics|Arc)\b", "xe-lpg", "", "soc"),
        (r"Lunar Lake.*\bGraphics", "xe2-lpg", "", "soc"),
        (r"(Panther|Wildcat) Lake.*\b(Graphics|Arc)\b", "xe3-lpg", "", "soc"),
        (r"Nova Lake.*\bGraphics", "xe3-lpg", "", "soc"),
    ],
}
# What must have a row or an exclusion, whether CHIPS knows its chip or not: so a newer pci.ids with a chip that is not
# in CHIPS yet does not pass.
MUST_BE_COVERED = {
    "10de": r"(G[A-Z]|TU|AD)\d{2,3}[A-Z]*\b(?<!G\d)",
    "1002": r"(Vega|Navi) \d|.*\[.*(Instinct|Radeon (RX|AI|Pro (W\d|V\d|VII|Vega))|FirePro S9|\b[6-9]\d0M\b)",
    "8086": r".*\[.*(Arc|Data Center GPU|Iris Xe|Server GPU)|Battlemage|Ponte Vecchio|DG\d",
}
VENDORS = {"nvidia": "10de", "amd": "1002", "intel": "8086"}
MOST_NAME = 40  # a label's name holds 63 characters, gpu-nvidia.count. among them
MOST_PRODUCTS = 32  # an id whose products take more is named after its chip


class Row:
    """One device id, or one board of it: 25b6, 25b6/10de14a9 (subsystem), 73bf.c0 (revision)."""

    FIELDS = ("family", "name", "memory", "form", "driver", "maker")

    def __init__(self, **fields):
        for field in self.FIELDS:
            setattr(self, field, fields.get(field, "-"))


def fail(text):
    sys.exit("make.py: " + text)


def lines_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().split("\n")
    except OSError as error:
        fail(str(error))


def read_pci_ids(path):
    """(version, {vendor: {device: name}})"""
    version, devices, vendor = "", {}, None
    for line in lines_of(path):
        if line.startswith("#"):
            found = re.match(r"#\s+Version:\s+(\S+)", line)
            version = found.group(1) if found else version
        elif re.match(r"[0-9a-f]{4}  ", line):
            vendor = line[:4]
        elif re.match(r"\t[0-9a-f]{4}  ", line) and vendor in CHIPS:
            devices.setdefault(vendor, {})[line[1:5]] = line[7:].strip()
        elif line.startswith("C "):
            break
    if not version or not devices:
        fail(path + ": not a pci.ids file")
    return version, devices


def expand(text):
    """a{b,c} -> ab, ac"""
    found = re.fullmatch(r"(.*)\{(.*)\}(.*)", text)
    return [found.group(1) + each + found.group(3) for each in found.group(2).split(",")] if found else [text]


def read_overrides(path):
    """Per vendor, facts of one key each, and facts of all rows with one name."""
    by_key, by_name, source = {}, {}, None
    for number, line in enumerate(lines_of(path), 1):
        words = shlex.split(line, comments=True)
        where = "%s:%d: " % (path, number)
        if not words:
            continue
        if words[0] == "source":
            source = " ".join(words[1:])
            continue
        if not source:
            fail(where + "a fact without a source: write a line `source ...` above it")
        if words[0] not in VENDORS or len(words) < 3:
            fail(where + "expected VENDOR KEY FIELD=VALUE ...")
        facts = {}
        for word in words[2:]:
            field, equals, value = word.partition("=")
            if not equals or field not in Row.FIELDS:
                fail(where + "no such fact: " + word)
            facts[field] = value or "-"
        into = by_name if words[1].startswith("=") else by_key
        for key in expand(words[1].lstrip("=")):
            if into is by_key and not re.fullmatch(r"[0-9a-f]{4}(/[0-9a-f]{8}|\.[0-9a-f]{2})?", key):
                fail(where + "not a device id: " + key)
            into.setdefault((VENDORS[words[0]], key), {}).update(facts)
    return by_key, by_name


def read_exclusions(path):
    """[(vendor, regular expression or id)]"""
    out = []
    for number, line in enumerate(lines_of(path), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if len(words) < 3 or words[0] not in VENDORS:
            fail("%s:%d: expected VENDOR ID|/PATTERN/ REASON" % (path, number))
        out.append((VENDORS[words[0]], words[1]))
    return out


def is_excluded(exclusions, vendor, device, name):
    for of, what in exclusions:
        if of != vendor:
            continue
        if what == device or (what.startswith("/") and re.search(what.strip("/"), name)):
            return True
    return False


def chip_of(vendor, name):
    for pattern, family, driver_family, place in CHIPS[vendor]:
        if re.match(pattern, name):
            return family, driver_family, place
    return None


def slug(text):
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


def product_of(name):
    found = re.search(r"\[(.*)\]", name)
    return found.group(1) if found else ""


def is_of_a_laptop(name):
    if re.search(r"Mobile|Laptop|\bMX\d|Max-Q\b(?!.*Workstation)", name):
        return True
    return bool(re.match(r"G[A-Z]\d{3}(GL|B)?M", name)) and "Embedded" not in name


def nvidia_name(name):
    product = product_of(name)
    if not product or re.search(r"Reserved|Initial Dev|INT SKU|Generic|Desktop Device", product, re.I):
        return ""
    laptop = is_of_a_laptop(name)
    if laptop:
        product = re.sub(r"\bMobile / Max-Q\b|\bMax-Q / Mobile\b|\bMobile\b|\bLaptop GPU\b", "", product)
    product = re.sub(r"\bRev\. \S+|\bLite Hash Rate\b|\bOEM\b|\bGPU\b|\bGeneration\b|\(.*\)", "", product)
    product = re.sub(r"\bMax-Q Workstation Edition\b", "Max-Q", product)
    product = re.sub(r"\bEdition\b|\bConverged Accelerator\b", "", product)
    product = re.sub(r"\bgeforce (?=(rtx|gtx|gt|mx)\b|mx\d)", "", product, flags=re.I)
    product = re.sub(r"\bTesla (?=(P100|V100\S*|T4)\b)", "", product)
    out = slug(product)
    return out + "-laptop" if laptop and not re.match(r"mx\d", out) and "max-q" not in out else out


def amd_name(name, place):
    product = product_of(name)
    if place == "soc" or not product:
        chip = re.sub(r"(?<=\D)\d$", "", name.split("[")[0].strip().split("/")[0])
        return slug(chip) if place == "soc" else ""
    product = re.sub(r"\b(AMD|Instinct|Radeon(?= RX| Instinct))\b", "", product, flags=re.I)
    return slug(name.split("[")[0] if product == "Radeon Graphics" else product)


def intel_name(name):
    product = re.sub(r"Data Center GPU |\bGraphics$", "", product_of(name))
    chip = re.sub(r"\(.*\)|\bGT[\d.]+|\b(UHD|Iris Plus) Graphics.*", "", name.split("[")[0])
    chip = re.sub(r"(?<=[a-z])(?=Lake)", " ", chip)
    if not product or re.fullmatch(r"\W*(Intel|Arc|UHD|Iris|Xe|\s)+\W*", product):  # says less than the chip does
        return re.sub(r"-(s|p|u|h|hx|m|up3|up4|lp)$", "", slug(chip)) or slug(name.split("(")[0])
    return slug(product)


def row_of(vendor, name, family, driver_family, place):
    row = Row(family=family)
    memory = re.findall(r"\b(\d+) ?GB\b", product_of(name))
    row.memory = memory[0] if len(memory) == 1 else "-"
    if vendor == "10de":
        row.maker = name
        row.name = nvidia_name(name)
        row.form = "-" if not row.name or is_of_a_laptop(name) or "embedded" in row.name else "pcie"
        if "SXM" in name:
            row.form = "sxm"
    elif vendor == "1002":
        row.driver = driver_family
        row.name = amd_name(name, place)
        is_mobile = re.search(r"Mobile|\d[MS]\b|\d\dM\b", name)
        row.form = "oam" if re.search(r"Instinct MI[2-9]\d\d", name) else "-" if is_mobile or not row.name else "pcie"
        if len(row.name) > MOST_PRODUCTS:
            row.name = slug(name.split("[")[0])
    else:
        row.name = intel_name(name)
        row.form = "-" if re.search(r"\d\dM\b", name) else "pcie"
    if place == "soc":
        row.form = "soc"
    row.name = row.name or "-"
    return row


def make(devices, overrides, exclusions):
    """({(vendor, key): Row}, [ids with neither a row nor an exclusion], [what is wrong with the overrides])"""
    by_key, by_name = overrides
    rows, uncovered, complaints = {}, [], []
    for vendor, names in devices.items():
        for device, name in names.items():
            chip = chip_of(vendor, name)
            if not chip or is_excluded(exclusions, vendor, device, name):
                continue
            rows[vendor, device] = row_of(vendor, name, *chip)
    for (vendor, key), facts in by_key.items():
        if len(key) > 4 and not set(facts) <= {"name", "memory", "form", "maker"}:
            fail("overrides: a board has a name, memory, form and maker's name of its own, and no more: " + key)
        row = rows.setdefault((vendor, key), Row())
        for field, value in facts.items():
            setattr(row, field, value)
    for (vendor, name), facts in by_name.items():
        named = [row for (of, _), row in rows.items() if of == vendor and row.name == name]
        if not named:
            complaints.append("overrides: no row is named " + name)
        for row in named:
            for field, value in facts.items():
                setattr(row, field, value)
    for (vendor, key), row in rows.items():
        if not re.fullmatch(r"-|[a-z0-9]([a-z0-9.-]*[a-z0-9])?", row.name) or len(row.name) > MOST_NAME:
            complaints.append("%s:%s needs a name in overrides.txt, this is not one: %s" % (vendor, key, row.name))
            row.name = "-"
        if len(key) == 4 and row.family == "-":
            complaints.append("%s:%s needs a family in overrides.txt: this pci.ids does not name its chip" % (vendor, key))
        if len(key) > 4 and (vendor, key[:4]) not in rows:
            complaints.append("%s:%s is a board of an id without a row" % (vendor, key))
    for vendor, names in devices.items():
        for device, name in names.items():
            if re.match(MUST_BE_COVERED[vendor], name, re.I) and (vendor, device) not in rows and \
                    not is_excluded(exclusions, vendor, device, name):
                uncovered.append("%s:%s %s" % (vendor, device, name))
    return rows, uncovered, complaints


HEAD = """// Generated by src/gpu/pci_table/make.py from pci.ids {version}, overrides.txt and exclusions.txt: do not edit.
//
// pci.ids is the list of the PCI ID Project, https://pci-ids.ucw.cz/, maintained by Albert Pool, Martin Mares and other
// volunteers. It can be distributed under the GNU General Public License (version 2 or higher) or the 3-clause BSD
// License; here it is under the latter:
//
// Copyright (c) Martin Mares and Albert Pool. Redistribution and use in source and binary forms, with or without
// modification, are permitted provided that the following conditions are met: 1. Redistributions of source code must
// retain the above copyright notice, this list of conditions and the following disclaimer. 2. Redistributions in binary
// form must reproduce the above copyright notice, this list of conditions and the following disclaimer in the
// documentation and/or other materials provided with the distribution. 3. Neither the name of the copyright holder nor
// the names of its contributors may be used to endorse or promote products derived from this software without specific
// prior written permission.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
// INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
// DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
// SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
// SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
// WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
// OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
//
// A line is a device id with family, name, memory in GB, form factor, the family that the kernel driver reports (AMD),
// and the maker's name: NVIDIA's as in pci.ids, AMD's as in libdrm. A board of the line above (ID/SUBSYSTEM or
// ID.REVISION) has a name, memory, form factor and maker's name of its own. "-" is unknown. Lines are sorted, for a
// binary search.
#pragma once

#include <string_view>

namespace nodescout::pci_table {{
"""


def text_of(version, rows):
    out = HEAD.format(version=version)
    for name, vendor in VENDORS.items():
        out += '\nconstexpr std::string_view k%s = R"(\n' % name.capitalize()
        for key in sorted(key for of, key in rows if of == vendor):
            row = rows[vendor, key]
            words = [key, row.name, row.memory, row.form, row.maker]
            if len(key) == 4:
                words = [key, row.family, row.name, row.memory, row.form, row.driver, row.maker]
            while words[-1] in ("-", ""):
                words.pop()
            out += " ".join(words) + "\n"
        out += ')";\n'
    tables = ", ".join('{"%s", k%s}' % (vendor, name.capitalize()) for name, vendor in VENDORS.items())
    out += "\nstruct Table {\n  std::string_view vendor, lines;\n};\nconstexpr Table kTables[] = {%s};\n" % tables
    return out + "\n}  // namespace nodescout::pci_table\n"


def version_of(text):
    found = re.search(r"from pci.ids (\S+),", text)
    return found.group(1) if found else ""


def main():
    check = sys.argv[1:2] == ["--check"]
    arguments = sys.argv[2:] if check else sys.argv[1:]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.exit(__doc__)
    version, devices = read_pci_ids(arguments[0])
    overrides = read_overrides(os.path.join(HERE, "overrides.txt"))
    exclusions = read_exclusions(os.path.join(HERE, "exclusions.txt"))
    rows, uncovered, complaints = make(devices, overrides, exclusions)
    text = text_of(version, rows)
    committed = "\n".join(lines_of(ROWS)) if os.path.exists(ROWS) else ""
    is_other_version = check and version_of(committed) != version
    for each in uncovered:
        print("neither a row nor an exclusion: " + each)
    if not is_other_version:
        for each in complaints:
            print(each)
    counts = ", ".join("%s %d" % (name, sum(of == vendor for of, _ in rows)) for name, vendor in VENDORS.items())
    print("pci.ids %s: %d rows (%s), %d ids uncovered" % (version, len(rows), counts, len(uncovered)))
    if is_other_version:
        print("rows.h was made from pci.ids %s: not compared" % version_of(committed))
        return 1 if uncovered else 0
    if not check:
        with open(ROWS, "w", encoding="utf-8") as file:
            file.write(text)
    elif committed != text:
        sys.stdout.writelines(difflib.unified_diff(committed.splitlines(True), text.splitlines(True), "rows.h", "made"))
        print("rows.h is stale: run make.py with this pci.ids")
        return 1
    return 1 if uncovered or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
