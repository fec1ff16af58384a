/*
 * Region -> host, from the published endpoint lists. A documented regional
 * host wins, else dts.<region>.aliyuncs.com overseas and the central host on
 * the mainland; the vpc host answers inside a VPC of that region only.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/dts.h"

struct region {
	const char *id, *host, *vpc;
};

#define CENTRAL "dts.aliyuncs.com"

/* clang-format off */
static const struct region regions[] = { /* sorted */
	{"ap-northeast-1", "dts.ap-northeast-1.aliyuncs.com", "dts-vpc.ap-northeast-1.aliyuncs.com"},
	{"ap-northeast-2", "dts.ap-northeast-2.aliyuncs.com", NULL},
	{"ap-northeast-2-pop", CENTRAL, NULL},
	{"ap-south-1", "dts.ap-south-1.aliyuncs.com", "dts-vpc.ap-south-1.aliyuncs.com"},
	{"ap-southeast-1", "dts.ap-southeast-1.aliyuncs.com", "dts-vpc.ap-southeast-1.aliyuncs.com"},
	{"ap-southeast-2", "dts.ap-southeast-2.aliyuncs.com", "dts-vpc.ap-southeast-2.aliyuncs.com"},
	{"ap-southeast-3", "dts.ap-southeast-3.aliyuncs.com", "dts-vpc.ap-southeast-3.aliyuncs.com"},
	{"ap-southeast-5", "dts.ap-southeast-5.aliyuncs.com", "dts-vpc.ap-southeast-5.aliyuncs.com"},
	{"ap-southeast-6", "dts.ap-southeast-6.aliyuncs.com", NULL},
	{"ap-southeast-7", "dts.ap-southeast-7.aliyuncs.com", NULL},
	{"cn-beijing", "dts.cn-beijing.aliyuncs.com", "dts-vpc.cn-beijing.aliyuncs.com"},
	{"cn-beijing-finance-1", CENTRAL, "dts-vpc.cn-beijing-finance-1.aliyuncs.com"},
	{"cn-beijing-finance-pop", CENTRAL, NULL},
	{"cn-beijing-gov-1", CENTRAL, NULL},
	{"cn-beijing-nu16-b01", CENTRAL, NULL},
	{"cn-chengdu", CENTRAL, "dts-vpc.cn-chengdu.aliyuncs.com"},
	{"cn-edge-1", CENTRAL, NULL},
	{"cn-fujian", CENTRAL, NULL},
	{"cn-guangzhou", CENTRAL, NULL},
	{"cn-haidian-cm12-c01", CENTRAL, NULL},
	{"cn-hangzhou", "dts.cn-hangzhou.aliyuncs.com", "dts-vpc.cn-hangzhou.aliyuncs.com"},
	{"cn-hangzhou-bj-b01", CENTRAL, NULL},
	{"cn-hangzhou-finance", "dts.cn-hangzhou.aliyuncs.com", NULL},
	{"cn-hangzhou-internal-prod-1", CENTRAL, NULL},
	{"cn-hangzhou-internal-test-1", CENTRAL, NULL},
	{"cn-hangzhou-internal-test-2", CENTRAL, NULL},
	{"cn-hangzhou-internal-test-3", CENTRAL, NULL},
	{"cn-hangzhou-test-306", CENTRAL, NULL},
	{"cn-heyuan", CENTRAL, NULL},
	{"cn-hongkong", "dts.cn-hongkong.aliyuncs.com", "dts-vpc.cn-hongkong.aliyuncs.com"},
	{"cn-hongkong-finance-pop", CENTRAL, NULL},
	{"cn-huhehaote", "dts.cn-huhehaote.aliyuncs.com", "dts-vpc.cn-huhehaote.aliyuncs.com"},
	{"cn-huhehaote-nebula-1", CENTRAL, NULL},
	{"cn-north-2-gov-1", CENTRAL, "dts-vpc.cn-north-2-gov-1.aliyuncs.com"},
	{"cn-qingdao", "dts.cn-qingdao.aliyuncs.com", "dts-vpc.cn-qingdao.aliyuncs.com"},
	{"cn-qingdao-nebula", CENTRAL, NULL},
	{"cn-shanghai", "dts.cn-shanghai.aliyuncs.com", "dts-vpc.cn-shanghai.aliyuncs.com"},
	{"cn-shanghai-et15-b01", CENTRAL, NULL},
	{"cn-shanghai-et2-b01", CENTRAL, NULL},
	{"cn-shanghai-finance-1", "dts.cn-shanghai-finance-1.aliyuncs.com", "dts-vpc.cn-shanghai-finance-1.aliyuncs.com"},
	{"cn-shanghai-inner", CENTRAL, NULL},
	{"cn-shanghai-internal-test-1", CENTRAL, NULL},
	{"cn-shenzhen", "dts.cn-shenzhen.aliyuncs.com", "dts-vpc.cn-shenzhen.aliyuncs.com"},
	{"cn-shenzhen-finance-1", "dts.cn-shenzhen-finance-1.aliyuncs.com", "dts-vpc.cn-shenzhen-finance-1.aliyuncs.com"},
	{"cn-shenzhen-inner", CENTRAL, NULL},
	{"cn-shenzhen-st4-d01", CENTRAL, NULL},
	{"cn-shenzhen-su18-b01", CENTRAL, NULL},
	{"cn-wuhan", CENTRAL, NULL},
	{"cn-wulanchabu", CENTRAL, "dts-vpc.cn-wulanchabu.aliyuncs.com"},
	{"cn-yushanfang", CENTRAL, NULL},
	{"cn-zhangbei-na61-b01", CENTRAL, NULL},
	{"cn-zhangjiakou", "dts.cn-zhangjiakou.aliyuncs.com", "dts-vpc.cn-zhangjiakou.aliyuncs.com"},
	{"cn-zhangjiakou-na62-a01", CENTRAL, NULL},
	{"cn-zhengzhou-nebula-1", CENTRAL, NULL},
	{"eu-central-1", "dts.eu-central-1.aliyuncs.com", "dts-vpc.eu-central-1.aliyuncs.com"},
	{"eu-west-1", "dts.eu-west-1.aliyuncs.com", "dts-vpc.eu-west-1.aliyuncs.com"},
	{"eu-west-1-oxs", CENTRAL, NULL},
	{"me-central-1", "dts.me-central-1.aliyuncs.com", NULL},
	{"me-east-1", "dts.me-east-1.aliyuncs.com", "dts-vpc.me-east-1.aliyuncs.com"},
	{"rus-west-1-pop", CENTRAL, NULL},
	{"us-east-1", "dts.us-east-1.aliyuncs.com", "dts-vpc.us-east-1.aliyuncs.com"},
	{"us-west-1", "dts.us-west-1.aliyuncs.com", "dts-vpc.us-west-1.aliyuncs.com"},
};
/* clang-format on */

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct region *)row)->id);
}

static const struct region *find(const char *id)
{
	return id ? bsearch(region_name(id), regions, sizeof regions / sizeof regions[0],
	                    sizeof regions[0], compare)
	          : NULL;
}

const char *dts_region_host(const char *region, bool vpc)
{
	const struct region *r = find(region);

	return !r ? NULL : vpc ? r->vpc : r->host;
}

bool dts_region_known(const char *region)
{
	return find(region) != NULL;
}
