#include "gpu/pci_table.h"

#include <algorithm>
#include <utility>

namespace nodescout {
namespace {

// One line each: id, family, name, memory in GB or "-", form factor or "-", and NVIDIA's name in pci.ids. One text for
// each vendor costs the program no relocation, and is only looked at where there is such a GPU.

constexpr std::string_view kNvidia = R"(
1023 kepler tesla-k40m 12 pcie GK110BGL [Tesla K40m]
1024 kepler tesla-k40c 12 pcie GK180GL [Tesla K40c]
102d kepler tesla-k80 12 pcie GK210GL [Tesla K80]
13bd maxwell tesla-m10 8 pcie GM107GL [Tesla M10]
13f0 maxwell quadro-m5000 8 pcie GM204GL [Quadro M5000]
13f1 maxwell quadro-m4000 8 pcie GM204GL [Quadro M4000]
13f2 maxwell tesla-m60 8 pcie GM204GL [Tesla M60]
13f3 maxwell tesla-m6 8 mxm GM204GL [Tesla M6]
1431 maxwell tesla-m4 4 pcie GM206GL [Tesla M4]
15f0 pascal quadro-gp100 16 pcie GP100GL [Quadro GP100]
15f7 pascal p100-pcie-12gb 12 pcie GP100GL [Tesla P100 PCIe 12GB]
15f8 pascal p100-pcie-16gb 16 pcie GP100GL [Tesla P100 PCIe 16GB]
15f9 pascal p100-sxm2-16gb 16 sxm GP100GL [Tesla P100 SXM2 16GB]
15fc pascal p100-dgxs-16gb 16 pcie GP100GL [Tesla P100-DGXS-16GB]
17c2 maxwell gtx-titan-x 12 pcie GM200 [GeForce GTX TITAN X]
17f0 maxwell quadro-m6000 12 pcie GM200GL [Quadro M6000]
17f1 maxwell quadro-m6000-24gb 24 pcie GM200GL [Quadro M6000 24GB]
17fd maxwell tesla-m40 - pcie GM200GL [Tesla M40]
1b00 pascal titan-x-pascal 12 pcie GP102 [TITAN X Pascal]
1b02 pascal titan-xp 12 pcie GP102 [TITAN Xp]
1b06 pascal gtx-1080-ti 11 pcie GP102 [GeForce GTX 1080 Ti]
1b30 pascal quadro-p6000 24 pcie GP102GL [Quadro P6000]
1b38 pascal tesla-p40 24 pcie GP102GL [Tesla P40]
1b80 pascal gtx-1080 8 pcie GP104 [GeForce GTX 1080]
1b81 pascal gtx-1070 8 pcie GP104 [GeForce GTX 1070]
1b82 pascal gtx-1070-ti 8 pcie GP104 [GeForce GTX 1070 Ti]
1b83 pascal gtx-1060-6gb 6 pcie GP104 [GeForce GTX 1060 6GB]
1b84 pascal gtx-1060-3gb 3 pcie GP104 [GeForce GTX 1060 3GB]
1bb0 pascal quadro-p5000 16 pcie GP104GL [Quadro P5000]
1bb1 pascal quadro-p4000 8 pcie GP104GL [Quadro P4000]
1bb3 pascal tesla-p4 8 pcie GP104GL [Tesla P4]
1bb4 pascal tesla-p6 16 mxm GP104GL [Tesla P6]
1c02 pascal gtx-1060-3gb 3 pcie GP106 [GeForce GTX 1060 3GB]
1c03 pascal gtx-1060-6gb 6 pcie GP106 [GeForce GTX 1060 6GB]
1c30 pascal quadro-p2000 5 pcie GP106GL [Quadro P2000]
1c31 pascal quadro-p2200 5 pcie GP106GL [Quadro P2200]
1c81 pascal gtx-1050 2 pcie GP107 [GeForce GTX 1050]
1c82 pascal gtx-1050-ti 4 pcie GP107 [GeForce GTX 1050 Ti]
1cb1 pascal quadro-p1000 4 pcie GP107GL [Quadro P1000]
1d81 volta titan-v 12 pcie GV100 [TITAN V]
1db1 volta v100-sxm2-16gb 16 sxm GV100GL [Tesla V100 SXM2 16GB]
1db2 volta v100-dgxs-16gb 16 pcie GV100GL [Tesla V100 DGXS 16GB]
1db3 volta v100-fhhl-16gb 16 pcie GV100GL [Tesla V100 FHHL 16GB]
1db4 volta v100-pcie-16gb 16 pcie GV100GL [Tesla V100 PCIe 16GB]
1db5 volta v100-sxm2-32gb 32 sxm GV100GL [Tesla V100 SXM2 32GB]
1db6 volta v100-pcie-32gb 32 pcie GV100GL [Tesla V100 PCIe 32GB]
1db7 volta v100-dgxs-32gb 32 pcie GV100GL [Tesla V100 DGXS 32GB]
1db8 volta v100-sxm3-32gb 32 sxm GV100GL [Tesla V100 SXM3 32GB]
1dba volta quadro-gv100 32 pcie GV100GL [Quadro GV100]
1df5 volta v100-sxm2-16gb 16 sxm GV100GL [Tesla V100 SXM2 16GB]
1df6 volta v100s-pcie-32gb 32 pcie GV100GL [Tesla V100S PCIe 32GB]
1e02 turing titan-rtx 24 pcie TU102 [TITAN RTX]
1e04 turing rtx-2080-ti 11 pcie TU102 [GeForce RTX 2080 Ti]
1e07 turing rtx-2080-ti 11 pcie TU102 [GeForce RTX 2080 Ti Rev. A]
1e30 turing quadro-rtx-6000-8000 - pcie TU102GL [Quadro RTX 6000/8000]
1e36 turing quadro-rtx-6000 24 pcie TU102GL [Quadro RTX 6000]
1e37 turing tesla-t10 16 pcie TU102GL [Tesla T10 16GB / GRID RTX T10-2/T10-4/T10-8]
1e38 turing tesla-t40 24 pcie TU102GL [Tesla T40 24GB]
1e78 turing quadro-rtx-6000-8000 - pcie TU102GL [Quadro RTX 6000/8000]
1e81 turing rtx-2080-super 8 pcie TU104 [GeForce RTX 2080 SUPER]
1e82 turing rtx-2080 8 pcie TU104 [GeForce RTX 2080]
1e84 turing rtx-2070-super 8 pcie TU104 [GeForce RTX 2070 SUPER]
1e87 turing rtx-2080 8 pcie TU104 [GeForce RTX 2080 Rev. A]
1eb0 turing quadro-rtx-5000 16 pcie TU104GL [Quadro RTX 5000]
1eb1 turing quadro-rtx-4000 8 pcie TU104GL [Quadro RTX 4000]
1eb4 turing t4g 16 pcie TU104GL [T4G]
1eb8 turing t4 16 pcie TU104GL [Tesla T4]
1f02 turing rtx-2070 8 pcie TU106 [GeForce RTX 2070]
1f03 turing rtx-2060-12gb 12 pcie TU106 [GeForce RTX 2060 12GB]
1f06 turing rtx-2060-super 8 pcie TU106 [GeForce RTX 2060 SUPER]
1f07 turing rtx-2070 8 pcie TU106 [GeForce RTX 2070 Rev. A]
1f08 turing rtx-2060 6 pcie TU106 [GeForce RTX 2060 Rev. A]
1f82 turing gtx-1650 4 pcie TU117 [GeForce GTX 1650]
1fb1 turing t600 4 pcie TU117GL [T600]
1ff0 turing t1000-8gb 8 pcie TU117GL [T1000 8GB]
1ff2 turing t400 4 pcie TU117GL [T400 4GB / T400E]
20b0 ampere a100-sxm4-40gb 40 sxm GA100 [A100 SXM4 40GB]
20b1 ampere a100-pcie-40gb 40 pcie GA100 [A100 PCIe 40GB]
20b2 ampere a100-sxm4-80gb 80 sxm GA100 [A100 SXM4 80GB]
20b3 ampere a100-sxm4-64gb 64 sxm GA100 [A100-SXM-64GB]
20b5 ampere a100-pcie-80gb 80 pcie GA100 [A100 PCIe 80GB]
20b7 ampere a30 24 pcie GA100GL [A30 PCIe]
20b8 ampere a100x 80 pcie GA100 [A100X]
20b9 ampere a30x 24 pcie GA100 [A30X]
20bd ampere a800-sxm4-40gb 40 sxm GA100 [A800 SXM4 40GB]
20f1 ampere a100-pcie-40gb 40 pcie GA100 [A100 PCIe 40GB]
20f3 ampere a800-sxm4-80gb 80 sxm GA100 [A800-SXM4-80GB]
20f5 ampere a800-pcie-80gb 80 pcie GA100 [A800 80GB PCIe]
20f6 ampere a800-pcie-40gb 40 pcie GA100 [A800 40GB PCIe]
20fd ampere ax800 80 pcie GA100 [AX800 Converged Accelerator]
2182 turing gtx-1660-ti 6 pcie TU116 [GeForce GTX 1660 Ti]
2184 turing gtx-1660 6 pcie TU116 [GeForce GTX 1660]
21c4 turing gtx-1660-super 6 pcie TU116 [GeForce GTX 1660 SUPER]
2203 ampere rtx-3090-ti 24 pcie GA102 [GeForce RTX 3090 Ti]
2204 ampere rtx-3090 24 pcie GA102 [GeForce RTX 3090]
2206 ampere rtx-3080 10 pcie GA102 [GeForce RTX 3080]
2208 ampere rtx-3080-ti 12 pcie GA102 [GeForce RTX 3080 Ti]
220a ampere rtx-3080-12gb 12 pcie GA102 [GeForce RTX 3080 12GB]
2216 ampere rtx-3080 10 pcie GA102 [GeForce RTX 3080 Lite Hash Rate]
2230 ampere rtx-a6000 48 pcie GA102GL [RTX A6000]
2231 ampere rtx-a5000 24 pcie GA102GL [RTX A5000]
2232 ampere rtx-a4500 20 pcie GA102GL [RTX A4500]
2233 ampere rtx-a5500 24 pcie GA102GL [RTX A5500]
2235 ampere a40 48 pcie GA102GL [A40]
2236 ampere a10 24 pcie GA102GL [A10]
2237 ampere a10g 24 pcie GA102GL [A10G]
2238 ampere a10m - pcie GA102GL [A10M]
230c hopper h20-nvl16 - sxm GH100 [H20 NVL16]
230e hopper h20-nvl16 - sxm GH100 [H20 NVL16]
2313 hopper h100-cnx 80 pcie GH100 [H100 CNX]
2321 hopper h100-nvl-94gb 94 pcie GH100 [H100L 94GB]
2322 hopper h800-pcie-80gb 80 pcie GH100 [H800 PCIe]
2324 hopper h800-sxm5-80gb 80 sxm GH100 [H800]
2328 hopper h20b - sxm GH100 [H20B]
2329 hopper h20-96gb 96 sxm GH100 [H20]
232c hopper h20-141gb 141 sxm GH100 [H20 HBM3e]
2330 hopper h100-sxm5-80gb 80 sxm GH100 [H100 SXM5 80GB]
2331 hopper h100-pcie-80gb 80 pcie GH100 [H100 PCIe]
2335 hopper h200-sxm5-141gb 141 sxm GH100 [H200 SXM 141GB]
2336 hopper h100 - - GH100 [H100]
2337 hopper h100-sxm5-64gb 64 sxm GH100 [H100 SXM5 64GB]
2338 hopper h100-sxm5-96gb 96 sxm GH100 [H100 SXM5 96GB]
2339 hopper h100-sxm5-94gb 94 sxm GH100 [H100 SXM5 94GB]
233a hopper h800-nvl-94gb 94 pcie GH100 [H800L 94GB]
233b hopper h200-nvl-141gb 141 pcie GH100 [H200 NVL]
233d hopper h100-96gb 96 - GH100 [H100 96GB]
2342 hopper gh200-96gb 96 superchip GH100 [GH200 120GB / 480GB]
2348 hopper gh200-144gb 144 superchip GH100 [GH200 144G HBM3e]
2482 ampere rtx-3070-ti 8 pcie GA104 [GeForce RTX 3070 Ti]
2484 ampere rtx-3070 8 pcie GA104 [GeForce RTX 3070]
2486 ampere rtx-3060-ti 8 pcie GA104 [GeForce RTX 3060 Ti]
2487 ampere rtx-3060-12gb 12 pcie GA104 [GeForce RTX 3060]
2488 ampere rtx-3070 8 pcie GA104 [GeForce RTX 3070 Lite Hash Rate]
2489 ampere rtx-3060-ti 8 pcie GA104 [GeForce RTX 3060 Ti Lite Hash Rate]
24b0 ampere rtx-a4000 16 pcie GA104GL [RTX A4000]
24b1 ampere rtx-a4000h - pcie GA104GL [RTX A4000H]
2503 ampere rtx-3060 - pcie GA106 [GeForce RTX 3060]
2504 ampere rtx-3060 - pcie GA106 [GeForce RTX 3060 Lite Hash Rate]
2531 ampere rtx-a2000-6gb 6 pcie GA106 [RTX A2000]
2571 ampere rtx-a2000-12gb 12 pcie GA106 [RTX A2000 12GB]
2582 ampere rtx-3050-8gb 8 pcie GA107 [GeForce RTX 3050 8GB]
25b0 ampere rtx-a1000 8 pcie GA107GL [RTX A1000]
25b2 ampere rtx-a400 4 pcie GA107GL [RTX A400]
25b6 ampere a2-a16 16 pcie GA107GL [A2 / A16]
2681 ada-lovelace rtx-titan-ada 48 pcie AD102 [RTX TITAN Ada]
2684 ada-lovelace rtx-4090 24 pcie AD102 [GeForce RTX 4090]
2685 ada-lovelace rtx-4090-d 24 pcie AD102 [GeForce RTX 4090 D]
26b1 ada-lovelace rtx-6000-ada 48 pcie AD102GL [RTX 6000 Ada Generation]
26b2 ada-lovelace rtx-5000-ada 32 pcie AD102GL [RTX 5000 Ada Generation]
26b3 ada-lovelace rtx-5880-ada 48 pcie AD102GL [RTX 5880 Ada Generation]
26b5 ada-lovelace l40 48 pcie AD102GL [L40]
26b7 ada-lovelace l20 48 pcie AD102GL [L20]
26b8 ada-lovelace l40g 24 pcie AD102GL [L40G]
26b9 ada-lovelace l40s 48 pcie AD102GL [L40S]
26ba ada-lovelace l20 48 pcie AD102GL [L20]
26f5 ada-lovelace l40-cnx - pcie AD102GL [L40 CNX]
2702 ada-lovelace rtx-4080-super 16 pcie AD103 [GeForce RTX 4080 SUPER]
2704 ada-lovelace rtx-4080 16 pcie AD103 [GeForce RTX 4080]
2705 ada-lovelace rtx-4070-ti-super 16 pcie AD103 [GeForce RTX 4070 Ti SUPER]
2782 ada-lovelace rtx-4070-ti 12 pcie AD104 [GeForce RTX 4070 Ti]
2783 ada-lovelace rtx-4070-super 12 pcie AD104 [GeForce RTX 4070 SUPER]
2786 ada-lovelace rtx-4070 12 pcie AD104 [GeForce RTX 4070]
27b0 ada-lovelace rtx-4000-sff-ada 20 pcie AD104GL [RTX 4000 SFF Ada Generation]
27b1 ada-lovelace rtx-4500-ada 24 pcie AD104GL [RTX 4500 Ada Generation]
27b2 ada-lovelace rtx-4000-ada 20 pcie AD104GL [RTX 4000 Ada Generation]
27b6 ada-lovelace l2 24 pcie AD104GL [L2]
27b7 ada-lovelace l16 - pcie AD104GL [L16]
27b8 ada-lovelace l4 24 pcie AD104GL [L4]
2803 ada-lovelace rtx-4060-ti-8gb 8 pcie AD106 [GeForce RTX 4060 Ti]
2805 ada-lovelace rtx-4060-ti-16gb 16 pcie AD106 [GeForce RTX 4060 Ti 16GB]
2882 ada-lovelace rtx-4060 8 pcie AD107 [GeForce RTX 4060]
28b0 ada-lovelace rtx-2000-ada 16 pcie AD107GL [RTX 2000 / 2000E Ada Generation]
2901 blackwell b200-sxm6-180gb 180 sxm GB100 [B200]
2909 blackwell b200-sxm6-168gb 168 sxm GB100 [HGX B200 168GB]
2941 blackwell gb200-186gb 186 superchip GB100 [HGX GB200]
29bc blackwell b100 - sxm GB102 [B100]
2b00 blackwell thor - soc GB10B [Jetson AGX Thor]
2b85 blackwell rtx-5090 32 pcie GB202 [GeForce RTX 5090]
2b87 blackwell rtx-5090-d 32 pcie GB202 [GeForce RTX 5090 D]
2bb1 blackwell rtx-pro-6000-blackwell-workstation 96 pcie GB202GL [RTX PRO 6000 Blackwell Workstation Edition]
2bb2 blackwell rtx-pro-6000d-blackwell-workstation - pcie GB202GL [RTX PRO 6000D Blackwell Workstation Edition]
2bb3 blackwell rtx-pro-5000-blackwell - pcie GB202GL [RTX PRO 5000 Blackwell / RTX PRO 5000 72GB Blackwell]
2bb4 blackwell rtx-pro-6000-blackwell-max-q 96 pcie GB202GL [RTX PRO 6000 Blackwell Max-Q Workstation Edition]
2bb5 blackwell rtx-pro-6000-blackwell-server 96 pcie GB202GL [RTX PRO 6000 Blackwell Server Edition]
2bb9 blackwell rtx-6000d - pcie GB202GL [RTX 6000D]
2c02 blackwell rtx-5080 16 pcie GB203 [GeForce RTX 5080]
2c05 blackwell rtx-5070-ti 16 pcie GB203 [GeForce RTX 5070 Ti]
2c31 blackwell rtx-pro-4500-blackwell 32 pcie GB203GL [RTX PRO 4500 Blackwell]
2c33 blackwell rtx-pro-4000-sff-blackwell 24 pcie GB203GL [RTX PRO 4000 Blackwell SFF Edition]
2c34 blackwell rtx-pro-4000-blackwell 24 pcie GB203GL [RTX PRO 4000 Blackwell]
2c3a blackwell rtx-pro-4500-blackwell-server 32 pcie GB203GL [RTX PRO 4500 Blackwell Server Edition]
2d04 blackwell rtx-5060-ti - pcie GB206 [GeForce RTX 5060 Ti]
2d05 blackwell rtx-5060 8 pcie GB206 [GeForce RTX 5060]
2d30 blackwell rtx-pro-2000-blackwell 16 pcie GB206GL [RTX PRO 2000 Blackwell]
2d83 blackwell rtx-5050 8 pcie GB207 [GeForce RTX 5050]
2e12 blackwell gb10 - soc GB20B [GB10]
2f04 blackwell rtx-5070 12 pcie GB205 [GeForce RTX 5070]
3182 blackwell b300-sxm6-288gb 288 sxm GB110 [B300 SXM6 AC]
31c2 blackwell gb300-288gb 288 superchip GB110 [GB300]
31c3 blackwell gb300-288gb 288 superchip GB110 [GB300]
)";

constexpr std::string_view kAmd = R"(
1586 rdna3.5 strix-halo - soc
66a0 gcn5 mi60 32 pcie
66a1 gcn5 mi50 - pcie
66af gcn5 radeon-vii 16 pcie
6860 gcn5 mi25 16 pcie
6861 gcn5 radeon-pro-wx-9100 16 pcie
6863 gcn5 vega-frontier 16 pcie
687f gcn5 rx-vega 8 pcie
7312 rdna1 radeon-pro-w5700 8 pcie
731f rdna1 rx-5700 - pcie
7362 rdna1 radeon-pro-v520 - pcie
738c cdna1 mi100 32 pcie
738e cdna1 mi100 32 pcie
73a1 rdna2 radeon-pro-v620 32 pcie
73a2 rdna2 radeon-pro-w6900x 32 pcie
73a3 rdna2 radeon-pro-w6800 32 pcie
73a5 rdna2 rx-6950-xt 16 pcie
73ab rdna2 radeon-pro-w6800x 32 pcie
73ae rdna2 radeon-pro-v620-vf - pcie
73af rdna2 rx-6900-xt 16 pcie
73bf rdna2 rx-6800 16 pcie
73df rdna2 rx-6700 - pcie
73e3 rdna2 radeon-pro-w6600 8 pcie
73ff rdna2 rx-6600 8 pcie
7408 cdna2 mi250x 64 oam
740c cdna2 mi250 64 oam
740f cdna2 mi210 64 pcie
7410 cdna2 mi210-vf - pcie
7448 rdna3 radeon-pro-w7900 48 pcie
7449 rdna3 radeon-pro-w7800-48gb 48 pcie
744a rdna3 radeon-pro-w7900-dual-slot 48 pcie
744b rdna3 radeon-pro-w7900d 48 pcie
744c rdna3 rx-7900 - pcie
745e rdna3 radeon-pro-w7800-32gb 32 pcie
7460 rdna3 radeon-pro-v710 28 pcie
7461 rdna3 radeon-pro-v710-vf - pcie
7470 rdna3 radeon-pro-w7700 16 pcie
747e rdna3 rx-7800-xt - pcie
7480 rdna3 rx-7600 - pcie
7489 rdna3 radeon-pro-w7500 8 pcie
74a0 cdna3 mi300a 128 soc
74a1 cdna3 mi300x 192 oam
74a2 cdna3 mi308x 192 oam
74a5 cdna3 mi325x 256 oam
74a8 cdna3 mi308x-hf 192 oam
74a9 cdna3 mi300x-hf 192 oam
74b5 cdna3 mi300x-vf 192 oam
74b6 cdna3 mi308x-vf 192 oam
74b9 cdna3 mi325x-vf 256 oam
74bc cdna3 mi308x-hf-vf 192 oam
74bd cdna3 mi300x-hf-vf 192 oam
7550 rdna4 rx-9070 16 pcie
7551 rdna4 radeon-ai-pro-r9700 32 pcie
7590 rdna4 rx-9060-xt - pcie
75a0 cdna4 mi350x 288 oam
75a3 cdna4 mi355x 288 oam
75a8 cdna4 mi350p - pcie
75b0 cdna4 mi350x-vf 288 oam
75b3 cdna4 mi355x-vf 288 oam
75b8 cdna4 mi350p-vf - pcie
)";

constexpr std::string_view kIntel = R"(
0b69 xe-hpc max-1450 128 oam
0b6e xe-hpc max-1100c 48 pcie
0bd4 xe-hpc max-1550vg 128 oam
0bd5 xe-hpc max-1550 128 oam
0bd6 xe-hpc max-1550 128 oam
0bd7 xe-hpc max-1350 96 oam
0bd8 xe-hpc max-1350 96 oam
0bd9 xe-hpc max-1100 48 pcie
0bda xe-hpc max-1100 48 pcie
0bdb xe-hpc max-1100 48 pcie
4905 xe-lp iris-xe-max 4 pcie
4907 xe-lp sg-18m 8 pcie
4908 xe-lp iris-xe - pcie
4909 xe-lp iris-xe-max-100 - pcie
56a0 xe-hpg arc-a770 - pcie
56a1 xe-hpg arc-a750 8 pcie
56a2 xe-hpg arc-a580 8 pcie
56a5 xe-hpg arc-a380 6 pcie
56a6 xe-hpg arc-a310 4 pcie
56b1 xe-hpg arc-pro-a40-a50 6 pcie
56b3 xe-hpg arc-pro-a60 12 pcie
56c0 xe-hpg flex-170 16 pcie
56c1 xe-hpg flex-140 6 pcie
56c2 xe-hpg flex-170v 16 pcie
e20b xe2-hpg arc-b580 12 pcie
e20c xe2-hpg arc-b570 10 pcie
e211 xe2-hpg arc-pro-b60 24 pcie
e212 xe2-hpg arc-pro-b50 16 pcie
e222 xe2-hpg arc-pro-b65 - pcie
e223 xe2-hpg arc-pro-b70 32 pcie
)";

constexpr std::pair<std::string_view, std::string_view> kTables[] = {
    {"10de", kNvidia}, {"1002", kAmd}, {"8086", kIntel}};

std::string_view table_of(std::string_view pci_vendor) {
  for (const auto& [vendor, table] : kTables)
    if (vendor == pci_vendor) return table;
  return {};
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word == "-" ? std::string_view() : word;
}

}  // namespace

GpuModel gpu_model(std::string_view pci_vendor, std::string_view device) {
  const std::string_view table = table_of(pci_vendor);
  const std::size_t at = table.find("\n" + std::string(device) + " ");
  if (device.empty() || at == std::string_view::npos) return {};
  std::string_view line = table.substr(at + 1);
  line = line.substr(0, line.find('\n'));
  (void)take_word(line);
  GpuModel model;
  model.family = take_word(line);
  model.name = take_word(line);
  model.memory = take_word(line);
  model.form_factor = take_word(line);
  model.pci_name = line;
  return model;
}

}  // namespace nodescout
